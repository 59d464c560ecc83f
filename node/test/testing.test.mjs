// `surehook/testing`, as the tests of an application use it: on every provider, on every framework, under node:test.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import express from 'express'
import fastify from 'fastify'
import { Endpoint, flush, init, OUTCOMES, stats, verify } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { capture, freeze, secret, signed } from 'surehook/testing'
import { answered, begun, clerkEndpoint, handled, keptLog } from './support/deliveries.mjs'
import { startRecorder } from './support/recorder.mjs'
import { serve } from './support/server.mjs'

const { lines, logger } = keptLog()
init({ logger })

const { providers } = JSON.parse(readFileSync(new URL('../../core/src/scheme/providers.json', import.meta.url), 'utf8'))
const URL_OF_THE_ENDPOINT = 'https://example.com/hook'

/** What a provider needs in its body; any object for most. */
const bodies = {
  twilio: new URLSearchParams({ MessageSid: 'SM1', Body: 'hello you' }),
  hubspot: [{ eventId: 1, subscriptionId: 2, occurredAt: 3, subscriptionType: 'contact.creation' }],
  adyen: { notificationItems: [{ NotificationRequestItem: { pspReference: 'psp_1', eventCode: 'AUTHORISATION', success: 'true', amount: { value: 1, currency: 'EUR' } } }] },
}

/** The pair of keys of providers that sign with a private one: what the endpoint has, and what signs. */
function keysOf(provider) {
  if (provider === 'sendgrid') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return [publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')]
  }
  if (provider.startsWith('discord')) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    return [publicKey, privateKey].map((key) => Buffer.from(key.export({ format: 'jwk' })[key.type === 'public' ? 'x' : 'd'], 'base64url').toString('hex'))
  }
  const shared = secret(provider)
  return [shared, shared]
}

const requestOf = ({ method, headers, body }) => ({ method, path: '/hook', headers: Object.entries(headers).flat(), body })

/** The request with one bit of a part changed. */
function flipped(request, part) {
  const changed = (bytes) => { const copy = Buffer.from(bytes); copy[copy.length >> 1] ^= 1; return copy }
  if (part === 'body') return { ...request, body: changed(request.body) }
  return { ...request, headers: { ...request.headers, [part]: changed(request.headers[part]).toString('latin1') } }
}

for (const { provider } of providers) {
  test(`${provider}: what is signed is accepted, and refused with one bit changed`, () => {
    const [own, signing] = keysOf(provider)
    const url = URL_OF_THE_ENDPOINT
    const endpoint = new Endpoint({ provider, signatureSecret: own, url, name: `signed-${provider}`, dedup: 'off' })
    const body = bodies[provider] ?? { id: 'evt_1', type: 'user.created', data: { id: 'user_1' } }
    const request = signed(provider, body, { secret: signing, url })
    const { delivery } = endpoint.begin(requestOf(request), null)
    assert.ok(delivery, provider)
    answered(delivery)

    // A token is sent as it is, so nothing binds the body of GitLab; Adyen signs some of its fields.
    const signature = Object.keys(request.headers).find((name) => /signature|hmac|token$/.test(name) && !/timestamp|idempotency/.test(name))
    const parts = provider === 'gitlab' ? [signature] : signature ? ['body', signature] : ['body']
    for (const part of parts) {
      const { answer } = endpoint.begin(requestOf(flipped(request, part)), null)
      assert.equal(answer?.status, 401, `${provider}: ${part}`)
    }
    const another = signed(provider, body, { secret: keysOf(provider)[1], url })
    assert.equal(endpoint.begin(requestOf(another), null).answer?.status, 401, 'another secret')
  })
}

test('a message id, a time, a method, headers, a URL of one\'s own', () => {
  const own = secret('clerk')
  const at = new Date(1_700_000_000_000)
  const request = signed('clerk', '{"a": 1}', { secret: own, messageId: 'msg_mine', timestamp: at, method: 'PUT', url: 'http://localhost:3000/hook?tenant=7', headers: { 'X-Tenant': '7', 'Content-Type': 'application/x-own' } })
  assert.equal(request.body.toString(), '{"a": 1}')
  assert.deepEqual([request.method, request.url], ['PUT', 'http://localhost:3000/hook?tenant=7'])
  const { 'svix-signature': signature, ...rest } = request.headers
  assert.match(signature, /^v1,/)
  assert.deepEqual(rest, { 'content-type': 'application/x-own', 'x-tenant': '7', 'svix-id': 'msg_mine', 'svix-timestamp': '1700000000' })
  assert.deepEqual(verify({ provider: 'clerk', secret: own, ...request, now: at }), { ok: true, messageId: 'msg_mine', timestamp: at })
  const hashed = signed('twilio', '{}', { secret: 'a secret of twilio', url: 'https://example.com/?tenant=7' })
  assert.match(hashed.url, /^https:\/\/example\.com\/\?tenant=7&bodySHA256=[0-9a-f]{64}$/)
  assert.equal(verify({ provider: 'twilio', secret: 'a secret of twilio', ...hashed }).ok, true)
})

test('bodies: objects as JSON, forms, text and bytes as they are; a scheme of one\'s own', () => {
  const own = 'a secret of acme that is long enough'
  const scheme = { provider: 'acme', secret: 'utf8', algorithm: 'hmac_sha256', signature: { header: 'X-Acme', prefix: 'sha256=' }, content: '{body}' }
  for (const [body, bytes, type] of [
    [{ a: 'é' }, '{"a":"é"}', 'application/json'],
    ['[1]', '[1]', 'application/json'],
    ['a=b', 'a=b', undefined],
    [new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded'],
    [Buffer.from([0, 255]), '\0\ufffd', undefined],
    [null, 'null', 'application/json'],
  ]) {
    const request = signed(scheme, body, { secret: own })
    assert.deepEqual([request.body.toString(), request.headers['content-type']], [bytes, type])
    assert.equal(verify({ scheme, secret: own, ...request }).ok, true)
  }
})

test('what cannot be signed is an error that says why', () => {
  const refused = (call, code, said) => assert.throws(call, (error) => error.name === 'SurehookError' && error.code === code && said.test(error.message), String(said))
  refused(() => signed('clerk', {}, { secret: 'whsec_short' }), 'secret_invalid', /./)
  refused(() => signed('clerk', {}, { secret: 7 }), 'invalid_option', /secret/)
  refused(() => signed('nobody', {}, { secret: 'x'.repeat(32) }), 'unknown_provider', /nobody/)
  refused(() => signed('square', {}, { secret: 'x'.repeat(32) }), 'invalid_option', /the option url /)
  refused(() => signed('adyen', {}, { secret: secret('adyen') }), 'invalid_option', /no place for notificationItems/)
  refused(() => signed('mailgun', 'a=b', { secret: secret('mailgun') }), 'invalid_option', /must be JSON/)
  refused(() => signed('clerk', 7n, { secret: secret('clerk') }), 'invalid_option', /body/)
  refused(() => signed('clerk', {}, { secret: secret('clerk'), timestamp: 'now' }), 'invalid_option', /timestamp/)
  for (const provider of ['discord', 'discord-interactions', 'sendgrid']) refused(() => secret(provider), 'invalid_option', /private key/)
  refused(() => secret('nobody'), 'unknown_provider', /nobody/)
  refused(() => secret(7), 'invalid_option', /provider/)
  refused(() => freeze('noon'), 'invalid_option', /the option at /)
})

/** A guarded route that records a step, in each framework: a function that sends it a signed request and returns the status. */
const applications = {
  async express(t, options) {
    const app = express()
    app.post('/hook', guardExpress(options), (req, res) => { req.surehook.step(req.body.type); res.status(201).end() })
    const server = await serve(app)
    t.after(() => server.close())
    return async ({ headers, body, method }) => (await fetch(`${server.url}/hook`, { method, headers, body })).status
  },
  async fastify(t, options) {
    const app = fastify()
    app.post('/hook', guardFastify(options), async (request, reply) => { request.surehook.step(request.body.type); reply.code(201) })
    t.after(() => app.close())
    return async ({ headers, body, method }) => (await app.inject({ url: '/hook', method, headers, payload: body })).statusCode
  },
  async nextjs(_t, options) {
    const POST = guardNext(options, async (request, _context, delivery) => { delivery.step((await request.json()).type); return new Response(null, { status: 201 }) })
    return async (request) => (await POST(new Request(request.url, request), {})).status
  },
}

for (const [framework, build] of Object.entries(applications)) {
  test(`${framework}: a test sends a signed request and looks at what was recorded`, async (t) => {
    const captured = capture()
    t.after(() => captured.stop())
    const own = secret('clerk')
    const send = await build(t, { provider: 'clerk', signatureSecret: own, name: framework, steps: { '*': ['user.created'] } })
    const request = signed('clerk', { type: 'user.created', data: { id: 'user_1' } }, { secret: own, messageId: 'msg_1' })
    assert.equal(await send(request), 201)
    const { outcome, endpoint, message_id, entity_id, steps, status } = captured.one()
    assert.deepEqual({ outcome, endpoint, message_id, entity_id, steps: steps.map(({ name }) => name), status }, { outcome: 'processed', endpoint: framework, message_id: 'msg_1', entity_id: 'user_1', steps: ['user.created'], status: 201 })
    captured.clear()
    assert.equal(await send(request), 201)
    assert.equal(captured.one().outcome, 'duplicate')
    captured.clear()
    assert.equal(await send(flipped(request, 'body')), 401)
    assert.equal(captured.one().verification.code, 'signature_mismatch')
  })
}

test('one() is an assertion that lists what there is instead', () => {
  const captured = capture()
  try {
    assert.throws(() => captured.one(), { name: 'AssertionError', message: 'expected one attempt, got 0' })
    const endpoint = clerkEndpoint({ name: 'two' })
    handled(endpoint)
    const first = captured.attempts
    handled(endpoint)
    assert.deepEqual([first.length, captured.attempts.length], [1, 2])
    assert.ok(captured.attempts.every(({ outcome }) => OUTCOMES.includes(outcome)))
    assert.throws(() => captured.one(), { message: 'expected one attempt, got 2: two user.created processed, two user.created processed' })
    captured.clear()
    assert.deepEqual(captured.attempts, [])
  } finally {
    captured.stop()
  }
  handled(clerkEndpoint())
  assert.deepEqual(captured.attempts, [])
})

test('captures that are on side by side may end in any order', () => {
  const [first, second] = [capture(), capture()]
  const endpoint = clerkEndpoint()
  first.stop()
  handled(endpoint)
  assert.deepEqual([first.attempts.length, second.attempts.length], [0, 1])
  second.stop()
  handled(endpoint)
  assert.deepEqual([first.attempts.length, second.attempts.length], [0, 1])
})

test('what telemetry was before goes on afterwards, and an init meanwhile counts from then on', async (t) => {
  const [before, meanwhile] = [await startRecorder(t), await startRecorder(t)]
  const endpoint = clerkEndpoint({ name: 'capture' })
  init({ apiKey: 'shk_test', endpoint: before.url, logger })
  handled(endpoint)
  const captured = capture()
  const inner = capture()
  handled(endpoint)
  assert.equal(captured.attempts.length, 0)
  assert.equal(inner.one().endpoint, 'capture')
  inner.stop()
  inner.stop()
  handled(endpoint)
  assert.equal(captured.one().endpoint, 'capture')
  assert.deepEqual([stats().recorded, stats().stored, stats().queued], [1, 1, 0])
  captured.stop()
  handled(endpoint)
  await flush()
  assert.equal(before.attempts.length, 2)

  const again = capture()
  init({ apiKey: 'shk_test', endpoint: meanwhile.url, logger, beforeSend: (attempt) => (attempt.event_type === 'user.created' ? { ...attempt, metadata: { seen: true } } : null) })
  handled(endpoint)
  handled(endpoint, { body: '{"type":"session.created"}' })
  assert.deepEqual(again.one().metadata, { seen: true }, 'seen by beforeSend, also in memory')
  again.stop()
  handled(endpoint)
  await flush()
  assert.deepEqual([meanwhile.attempts.length, meanwhile.attempts[0].metadata, before.attempts.length], [1, { seen: true }, 2])
  init({ logger })
})

test('a clock that stands still: signatures get old when it is moved, and durations are measured', () => {
  const clock = freeze(new Date(1_700_000_000_000))
  const captured = capture()
  try {
    const own = secret('clerk')
    const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: own, name: 'frozen' })
    const request = signed('clerk', { type: 'user.created' }, { secret: own })
    assert.equal(request.headers['svix-timestamp'], '1700000000')
    clock.tick(300_000)
    assert.equal(verify({ provider: 'clerk', secret: own, ...request }).ok, true)
    answered(endpoint.begin(requestOf(request), null).delivery)
    const { received_at, duration_us } = captured.one()
    assert.equal(received_at, 1_700_000_300_000_000)
    assert.ok(duration_us > 0)
    clock.tick(1000)
    assert.equal(verify({ provider: 'clerk', secret: own, ...request }).code, 'timestamp_too_old')
    clock.tick(-1000 - 601_000)
    assert.equal(verify({ provider: 'clerk', secret: own, ...request }).code, 'timestamp_too_new')
  } finally {
    clock.restore()
    captured.stop()
  }
  answered(begun(clerkEndpoint()))
  assert.deepEqual(lines.filter((line) => /error/i.test(line)), [])
})

test('both are disposed of by `using`', () => {
  const captured = capture()
  const clock = freeze(0)
  clock[Symbol.dispose]()
  captured[Symbol.dispose]()
  handled(clerkEndpoint())
  assert.deepEqual(captured.attempts, [])
})
