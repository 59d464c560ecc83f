// One guarded route in each framework, called with the same request: { method, path, headers, body } → status, headers, text.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import express from 'express'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { serve } from './server.mjs'

let names = 0

/** The wrappers under test, by name: each serves `options` on every method until the test ends. */
export const wrappers = {
  async express(t, options, answer = () => 'handled') {
    const app = express()
    app.all('/hook', guardExpress(named(options)), (req, res) => res.send(answer(req)))
    const server = await serve(app)
    t.after(() => server.close())
    return (request) => overHttp(server.port, request)
  },
  async nextjs(_t, options, answer = () => 'handled') {
    const route = guardNext(named(options), (request) => new Response(answer(request)))
    return async ({ method = 'POST', path = '/hook', headers = [], body }) => {
      const response = await route(new Request(`http://localhost${path}`, { method, headers: pairs(headers), body: method === 'GET' ? null : body }))
      return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
    }
  },
}

/** The hexadecimal HMAC-SHA-256 of a text. */
export const hexHmac = (secret, text) => createHmac('sha256', secret).update(text).digest('hex')

const named = (options) => ({ name: `wrapper-${names++}`, ...options })

const pairs = (headers) => (Array.isArray(headers) ? headers : Object.entries(headers))

async function overHttp(port, { method = 'POST', path = '/hook', headers = [], body }) {
  const request = http.request({ port, path, method, agent: false })
  for (const [name, value] of pairs(headers)) request.appendHeader(name, value)
  const answered = once(request, 'response')
  request.end(body)
  const [response] = await answered
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }
}
