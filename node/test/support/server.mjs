// Real servers on free ports, and requests that a well-behaved client would not send.
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'

/** Serves an Express application, or any request listener; `post(path, body, headers)` sends to it. */
export async function serve(listener) {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    post: (path, body, headers = {}) => fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Sends raw bytes over one connection and returns all that comes back until the server closes it. */
export async function raw(port, bytes) {
  const socket = net.connect(port, '127.0.0.1')
  socket.end(bytes)
  const chunks = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

/** A port where nobody listens. */
export async function closedPort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A server that takes connections and never says a word. */
export async function blackHole() {
  const sockets = new Set()
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Waits for a condition, with a deadline; the error says what was waited for. */
export async function until(condition, what, milliseconds = 10_000) {
  const deadline = performance.now() + milliseconds
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`waited ${milliseconds} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
