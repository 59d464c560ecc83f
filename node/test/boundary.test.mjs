// The border between JavaScript and Rust: bytes of headers stay what they are, and no fault of ours may end the process.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import { init, verify } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { capture } from 'surehook/testing'
import { serve } from './support/server.mjs'

init({ logger: { info() {}, warn() {}, error() {} } })

/** A sender whose header is the secret itself, and whose event type is a header too. */
const SECRET = 'a sëcret 🦊 of the sender'
const SCHEME = { provider: 'latin', algorithm: 'token', secret: 'utf8', signature: { header: 'x-token' }, content: '', event_type: { header: 'x-event' } }
const BODY = '{"type":"a"}'

/** Sends a request whose headers have these very bytes, and gives the status. */
async function send(port, token, event) {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = `POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n`
  socket.end(Buffer.concat([head, 'x-token: ', token, '\r\nx-event: ', event, `\r\n\r\n${BODY}`].map((part) => Buffer.from(part))))
  const answer = Buffer.concat(await socket.toArray()).toString('latin1')
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

const servers = {
  async Express(t) {
    const app = express()
    app.post('/hook', guardExpress({ scheme: SCHEME, signatureSecret: SECRET, dedup: 'off' }), (_req, res) => { res.send('ok') })
    const server = await serve(app)
    t.after(() => server.close())
    return server.port
  },
  async Fastify(t) {
    const app = Fastify()
    app.post('/hook', guardFastify({ scheme: SCHEME, signatureSecret: SECRET, dedup: 'off' }), async () => 'ok')
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
}
for (const [name, start] of Object.entries(servers)) {
  test(`${name}: header bytes from 0x80 on are those of the wire`, async (t) => {
    const kept = capture()
    t.after(() => kept.stop())
    const port = await start(t)
    assert.equal(await send(port, SECRET, 'créé'), 200)
    assert.equal(kept.one().event_type, 'créé')
    for (const token of [Buffer.from(SECRET, 'latin1'), `${SECRET}x`, Buffer.from(Buffer.from(SECRET).toString('latin1'))]) {
      assert.equal(await send(port, token, 'x'), 401)
    }
  })
}

test('verify takes bytes, text of one character for each, and text that never was a header as UTF-8', () => {
  const ok = (token) => verify({ scheme: SCHEME, secret: SECRET, body: BODY, headers: { 'x-token': token } }).ok
  const bytes = Buffer.from(SECRET)
  assert.deepEqual([ok(bytes), ok(bytes.toString('latin1')), ok(SECRET), ok('a secret')], [true, true, true, false])
})

test('every function of the addon turns a fault of ours into an error', () => {
  const folder = new URL('../../bindings/node/src/', import.meta.url)
  let found = 0
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8')
    for (const [, attribute, name] of text.matchAll(/#\[napi(\([^\]]*\))?\]\n(?:\s*(?:\/\/\/|#\[|\/\/).*\n)*\s*pub fn (\w+)/g)) {
      found++
      assert.ok(attribute?.includes('catch_unwind'), `${file}: ${name}`)
    }
  }
  assert.ok(found > 50, String(found))
})
