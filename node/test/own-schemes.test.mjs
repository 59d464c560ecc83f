// Schemes and verifiers of the user's own, handshakes, and causes, on a real Express server.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { test } from 'node:test'
import express from 'express'
import { Endpoint, init, SurehookError, verify, Webhook, WebhookVerificationError } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { serve } from './support/server.mjs'
import { OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'

const logged = []
const keep = (line) => logged.push(line)
init({ logger: { info: keep, warn: keep, error: keep } })

const OWN_SECRET = 'a secret of sixteen characters and more'
const ACME = {
  provider: 'acme',
  secret: 'utf8',
  algorithm: 'hmac_sha512',
  encoding: 'base64',
  signature: { header: 'X-Acme-Signature', prefix: 'v3=' },
  content: '{timestamp}|{body}',
  timestamp: { header: 'X-Acme-Time', unit: 'milliseconds' },
  messageId: { body: ['id'] },
  eventType: { header: 'X-Acme-Event' },
}
const mac = (hash, text, encoding) => createHmac(hash, OWN_SECRET).update(text).digest(encoding)

function acmeHeaders(body) {
  const time = String(Date.now())
  return { 'x-acme-signature': `v3=${mac('sha512', `${time}|${body}`, 'base64')}`, 'x-acme-time': time, 'x-acme-event': 'thing.made' }
}

/** A server whose one route is guarded with these options. */
async function guarded(t, options) {
  const app = express()
  const seen = []
  app.all('/hook', withWebhookMonitoring(options, (req, res, delivery) => {
    seen.push([delivery.messageId, delivery.eventType])
    res.json({ ok: true })
  }))
  const server = await serve(app)
  t.after(() => server.close())
  return { ...server, seen }
}

test('a scheme of the user is verified like a provider of the table', async (t) => {
  const server = await guarded(t, { scheme: ACME, signatureSecret: OWN_SECRET, name: 'own scheme' })
  const body = '{"id":"thing_1"}'
  assert.equal((await server.post('/hook', body, acmeHeaders(body))).status, 200)
  assert.equal((await server.post('/hook', '{ "id":"thing_1"}', acmeHeaders(body))).status, 401)
  assert.deepEqual(server.seen, [['thing_1', 'thing.made']])
  assert.equal(verify({ scheme: ACME, secret: OWN_SECRET, body, headers: acmeHeaders(body) }).messageId, 'thing_1')
})

test('a scheme that cannot be is an error when the endpoint is built, and repeats no secret', () => {
  const circular = {}
  circular.circular = circular
  for (const scheme of [null, 5, 'acme', [], {}, { ...ACME, algorithm: 'md5' }, { ...ACME, secret: 'whsec_canary' }, { ...ACME, colour: 1 }, circular]) {
    assert.throws(() => new Endpoint({ scheme, signatureSecret: OWN_SECRET }), (error) => {
      assert.ok(error instanceof SurehookError, String(error))
      assert.equal(error.code, 'invalid_option')
      return !inspect(error).includes('whsec_canary')
    })
  }
  for (const options of [{ url: 5 }, { url: 'nowhere' }, { verifyToken: 5 }, { signatureVerifier: 5 }]) {
    assert.throws(() => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, ...options }), { code: 'invalid_option' })
  }
  assert.throws(() => new Endpoint({ provider: 'square', signatureSecret: OWN_SECRET }), /public URL/)
  assert.throws(() => new Endpoint({}), { code: 'invalid_option' })
})

test('a verifier of the user decides, sync or async, and fails closed', async (t) => {
  let verdict
  const server = await guarded(t, {
    provider: 'inhouse',
    name: 'own verifier',
    signatureVerifier: (request, body, headers) => verdict(request, body, headers),
  })
  const send = (n) => server.post('/hook', JSON.stringify({ id: `m${n}`, type: 'a.b' }), { 'x-sig': 'yes' })
  verdict = (request, body, headers) => request.method === 'POST' && body instanceof Uint8Array && headers['x-sig'] === 'yes'
  assert.equal((await send(1)).status, 200)
  verdict = () => Promise.resolve('named_2')
  assert.equal((await send(2)).status, 200)
  assert.deepEqual(server.seen, [['m1', 'a.b'], ['named_2', 'a.b']])

  const refusals = [() => false, () => undefined, () => 1, () => '', () => { throw new Error('canary of the verifier') }, () => Promise.reject(new Error('no'))]
  const bodies = new Set()
  for (const refuse of refusals) {
    verdict = refuse
    const response = await send(3)
    assert.equal(response.status, 401)
    bodies.add(await response.text())
  }
  assert.deepEqual([...bodies], ['{"error":"invalid webhook signature"}'])
  assert.equal(server.seen.length, 2)
  assert.ok(logged.some((line) => line.includes('verifier_error')), logged.join('\n'))
  assert.ok(!logged.some((line) => line.includes('canary of the verifier')), logged.join('\n'))
})

test('Slack and Meta get the answers they ask for, and the handler never runs', async (t) => {
  const slack = await guarded(t, { provider: 'slack', signatureSecret: OWN_SECRET, name: 'slack' })
  const question = '{"type":"url_verification","challenge":"abc"}'
  const time = String(Math.floor(Date.now() / 1000))
  const headers = { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${mac('sha256', `v0:${time}:${question}`, 'hex')}` }
  assert.deepEqual(await (await slack.post('/hook', question, headers)).json(), { challenge: 'abc' })

  const meta = await guarded(t, { provider: 'meta', signatureSecret: OWN_SECRET, verifyToken: 'chosen', name: 'meta' })
  const ask = (token) => fetch(`${meta.url}/hook?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=42`)
  assert.equal(await (await ask('chosen')).text(), '42')
  assert.equal((await ask('guessed')).status, 401)
  assert.deepEqual([...slack.seen, ...meta.seen], [])
})

test('a refusal carries its cause: in results, in errors, in one line of the log', async (t) => {
  const body = '{"a": 1}'
  const rewritten = '{"a":1}'
  const headers = svixHeaders(body)
  const result = verify({ provider: 'clerk', secret: SECRET, body: rewritten, headers })
  assert.equal(result.diagnosis.finding, 'body_reserialized')
  assert.equal(result.diagnosis.certainty, 'proved')
  assert.match(result.docs, /body_reserialized\.md$/)
  assert.throws(() => new Webhook(SECRET).verify(rewritten, headers), (error) => {
    return error instanceof WebhookVerificationError && error.diagnosis.finding === 'body_reserialized'
  })
  assert.equal(verify({ provider: 'clerk', secret: SECRET, body, headers: svixHeaders(body, { secret: OTHER_SECRET }) }).diagnosis, null)
  assert.throws(() => new Webhook('sk_live_0123456789abcdef'), (error) => error.details.finding === 'not_a_webhook_secret')

  const server = await guarded(t, { provider: 'clerk', signatureSecret: SECRET, name: 'cause' })
  assert.equal((await server.post('/hook', rewritten, headers)).status, 401)
  const line = logged.find((text) => text.startsWith('cause:') && text.includes('signature_mismatch'))
  assert.match(line, /body_reserialized \(proved\).*diagnostics\/body_reserialized\.md$/)
  assert.ok(!line.includes('\n'))
})
