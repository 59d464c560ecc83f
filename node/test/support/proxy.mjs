// A TCP proxy before a server, which holds back what goes through it when it is told to.
import { once } from 'node:events'
import net from 'node:net'

/** `stall()` holds back all that comes from the server, on every connection, until `flow()`. */
export async function proxyBefore(t, port) {
  const answers = new Set()
  let stalled = false
  const proxy = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1')
    for (const [from, to] of [[client, server], [server, client]]) {
      from.setNoDelay(true).on('data', (bytes) => to.write(bytes)).on('error', () => to.destroy()).on('close', () => to.destroy())
    }
    answers.add(server)
    server.once('close', () => answers.delete(server))
    if (stalled) server.pause()
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    for (const server of answers) server.destroy()
    proxy.close()
  })
  return {
    port: proxy.address().port,
    stall() {
      stalled = true
      for (const server of answers) server.pause()
    },
    flow() {
      stalled = false
      for (const server of answers) server.resume()
    },
  }
}
