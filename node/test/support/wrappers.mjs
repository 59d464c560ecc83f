// One guarded route in each framework, called with the same request: { method, path, headers, body } → status, headers, text.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { serve } from './server.mjs'

let names = 0

/** The wrappers under test, by name: each serves `options` on every method until the test ends. */
export const wrappers = {
  async express(t, options, answer = () => 'handled') {
    const app = express()
    app.all('/hook', guardExpress(named(options)), async (req, res) => res.send(await answer(req)))
    const server = await serve(app)
    t.after(() => server.close())
    return (request) => overHttp(server.port, request)
  },
  async fastify(t, options, answer = () => 'handled') {
    const app = fastify()
    app.route({ method: ['GET', 'POST'], url: '/hook', ...guardFastify(named(options)), handler: (request) => answer(request) })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return (request) => overHttp(app.server.address().port, request)
  },
  async nextjs(_t, options, answer = () => 'handled') {
    const route = guardNext(named(options), async (request) => new Response(await answer(request)))
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
