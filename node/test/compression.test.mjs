// Compression around a handler: what is stored is what the handler set, so every replay can be decoded to the same bytes.
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import compression from 'compression'
import express5 from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import { init } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { serve } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

init({ logger: { info() {}, warn() {}, error() {} } })

const options = () => ({ provider: 'clerk', signatureSecret: SECRET, name: newId() })
const TEXT = JSON.stringify({ text: 'é so much of it. '.repeat(400) })

/** The status, the headers and the decoded bytes of an answer, as they came over the wire. */
function send(port, { body, headers }, accept) {
  return new Promise((resolve, reject) => {
    const own = { 'content-type': 'application/json', ...headers, ...(accept && { 'accept-encoding': accept }) }
    http.request({ port, host: '127.0.0.1', path: '/hook', method: 'POST', agent: false, headers: own }, async (response) => {
      const bytes = Buffer.concat(await response.toArray())
      const decode = { gzip: gunzipSync, br: brotliDecompressSync, undefined: (same) => same }[response.headers['content-encoding']]
      resolve({ status: response.statusCode, headers: response.headers, text: decode(bytes).toString() })
    }).on('error', reject).end(body)
  })
}

/** An answer and its replays, to senders that take compressed bytes and to one that does not, are the same text. */
async function isTheSame(port, expected) {
  for (const first of ['gzip', 'br', undefined]) {
    const body = clerkEvent()
    const one = { body, headers: svixHeaders(body) }
    const answer = await send(port, one, first)
    assert.deepEqual([answer.status, answer.text], [200, expected])
    for (const accept of ['gzip', undefined, 'br']) {
      const replay = await send(port, one, accept)
      assert.deepEqual([replay.status, replay.headers['idempotent-replayed'], replay.text], [200, 'true', expected], `${first}, then ${accept}`)
      assert.equal(replay.headers['content-type'], answer.headers['content-type'])
    }
  }
}

const HANDLERS = {
  'res.json': (res) => { res.json(JSON.parse(TEXT)) },
  'res.send of bytes': (res) => { res.type('text/plain').send(Buffer.from(TEXT)) },
  'res.write and res.end': (res) => {
    res.setHeader('content-type', 'text/plain')
    res.write(TEXT.slice(0, 3000))
    setTimeout(() => { res.write(TEXT.slice(3000, 5000)); res.end(TEXT.slice(5000)) }, 5)
  },
  'res.writeHead and res.write': (res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    res.write(TEXT)
    res.end()
  },
  'res.flushHeaders': (res) => {
    res.setHeader('content-type', 'text/plain')
    res.flushHeaders()
    res.end(TEXT)
  },
}

for (const [version, express] of [['5', express5], ['4', express4]]) {
  for (const [how, handle] of Object.entries(HANDLERS)) {
    test(`Express ${version}: compression around the wrapper, ${how}`, async (t) => {
      const app = express().use(compression({ threshold: 0 }))
      app.post('/hook', guardExpress(options()), (_req, res) => { handle(res) })
      const server = await serve(app)
      t.after(() => server.close())
      await isTheSame(server.port, TEXT)
    })
  }
}

test('Express: compression inside of the wrapper: what it made is stored, and says what it is', async (t) => {
  const app = express5()
  app.post('/hook', guardExpress(options()), compression({ threshold: 0 }), (_req, res) => { HANDLERS['res.write and res.end'](res) })
  const server = await serve(app)
  t.after(() => server.close())
  const body = clerkEvent()
  const one = { body, headers: svixHeaders(body) }
  for (const replayed of [undefined, 'true']) {
    const { text, headers } = await send(server.port, one, 'gzip')
    assert.deepEqual([text, headers['content-encoding'], headers['idempotent-replayed']], [TEXT, 'gzip', replayed])
  }
})

test('Express: what earlier middleware set is not stored, but set again; what the handler changed is', async (t) => {
  const app = express5()
  let count = 0
  app.use((_req, res, next) => { res.set({ 'x-request-id': String(++count), 'cache-control': 'no-cache', 'content-language': 'en' }); next() })
  app.post('/hook', guardExpress(options()), (_req, res) => { res.set('content-language', 'fr').send('ok') })
  const server = await serve(app)
  t.after(() => server.close())
  const body = clerkEvent()
  const one = { body, headers: svixHeaders(body) }
  await send(server.port, one)
  const { headers } = await send(server.port, one)
  assert.deepEqual([headers['x-request-id'], headers['cache-control'], headers['content-language']], ['2', 'no-cache', 'fr'])
})

for (const [how, answer] of [
  ['an object', () => JSON.parse(TEXT)],
  ['text', (reply) => { reply.type('text/plain'); return TEXT }],
  ['bytes', (reply) => { reply.type('text/plain'); return Buffer.from(TEXT) }],
  ['bytes that it compressed itself', (reply) => { reply.type('text/plain').header('content-encoding', 'gzip'); return gzipSync(TEXT) }],
]) {
  test(`Fastify: @fastify/compress, ${how}`, async (t) => {
    const app = Fastify()
    await app.register(fastifyCompress, { threshold: 0 })
    app.post('/hook', guardFastify(options()), async (_request, reply) => answer(reply))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    await isTheSame(app.server.address().port, TEXT)
  })
}

test('Fastify: reply.compress: what it made is stored, and says what it is', async (t) => {
  const app = Fastify()
  await app.register(fastifyCompress, { threshold: 0, global: false })
  app.post('/hook', guardFastify(options()), (_request, reply) => { reply.type('text/plain').compress(TEXT) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  await isTheSame(app.server.address().port, TEXT)
})
