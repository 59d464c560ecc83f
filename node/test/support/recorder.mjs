// A collector in memory: keeps what is sent to it, and answers as it is told.
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { gunzipSync } from 'node:zlib'

/**
 * `batches` is what came, `texts` the same as it was written. `answer(batch)` gives a status in place of storing it. With `tls` it
 * speaks HTTPS.
 */
export async function startRecorder(t, answer = () => 202, tls) {
  const recorder = { batches: [], texts: [], attempts: [], answer }
  const listener = async (request, response) => {
    const chunks = await request.toArray()
    const text = gunzipSync(Buffer.concat(chunks)).toString()
    const batch = JSON.parse(text)
    const status = recorder.answer(batch)
    if (status === 202) {
      recorder.texts.push(text)
      recorder.batches.push(batch)
      recorder.attempts.push(...batch.attempts)
    }
    const body = status === 202 ? { accepted: batch.attempts.length, duplicates: 0, rejected: [] } : { error: { code: 'no', message: 'no' } }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const server = (tls ? https.createServer(tls, listener) : http.createServer(listener)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  recorder.url = `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`
  recorder.env = { SUREHOOK_API_KEY: 'shk_recorder', SUREHOOK_ENDPOINT: recorder.url }
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return recorder
}
