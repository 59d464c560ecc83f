// A secret that cannot protect anything is refused where it is needed: nothing is let through, and imports and builds go on.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { afterEach, test } from 'node:test'
import { Endpoint, init, SurehookError, Webhook } from 'surehook'
import Express from 'express'
import Fastify from 'fastify'
import { withWebhookMonitoring as express } from 'surehook/express'
import { withWebhookMonitoring as fastify } from 'surehook/fastify'
import { withWebhookMonitoring as nextjs } from 'surehook/nextjs'
import { clerkEvent, OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'

const log = []
init({ logger: { info: () => {}, warn: (line) => log.push(line), error: (line) => log.push(line) } })

const wrappers = {
  express: (options) => express({ provider: 'clerk', ...options }),
  nextjs: (options) => nextjs({ provider: 'clerk', ...options }, () => new Response()),
}

const degenerate = [
  ['undefined', undefined, 'secret_missing'],
  ['null', null, 'secret_missing'],
  ['a number', 42, 'secret_missing'],
  ['an object', { secret: SECRET }, 'secret_missing'],
  ['an empty list', [], 'secret_missing'],
  ['a list with a hole', [SECRET, undefined], 'secret_missing'],
  ['empty text', '', 'secret_invalid'],
  ['a space', ' ', 'secret_invalid'],
  ['the prefix alone', 'whsec_', 'secret_invalid'],
  ['a short key', 'whsec_bw==', 'secret_invalid'],
  ['a word', 'changeme', 'secret_invalid'],
  ['a template that was not filled in', '${CLERK_WEBHOOK_SIGNING_SECRET}', 'secret_invalid'],
  ['quotes around it', `"${SECRET}"`, 'secret_invalid'],
]

const VARIABLES = ['CLERK_WEBHOOK_SIGNING_SECRET', 'CLERK_WEBHOOK_SECRET', 'CLERK_WEBHOOK_SIGNING_SECRET_PREVIOUS']

afterEach(() => {
  for (const name of VARIABLES) delete process.env[name]
})

const message = () => {
  const body = clerkEvent()
  return { method: 'POST', path: '/', headers: Object.entries(svixHeaders(body)).flat(), body: Buffer.from(body) }
}

for (const [what, signatureSecret] of degenerate) {
  test(`without a secret that can be used (${what}) every request gets a 503`, () => {
    const endpoint = new Endpoint({ provider: 'clerk', signatureSecret, name: `unusable ${what}` })
    assert.throws(
      () => endpoint.check(),
      (error) => {
        assert.ok(error instanceof SurehookError)
        assert.match(error.code, /^secret_(missing|invalid)$/)
        if (error.code === 'secret_missing') assert.match(error.message, /CLERK_WEBHOOK_SIGNING_SECRET/)
        assert.ok(!error.message.includes(SECRET))
        return true
      },
    )
    const { answer, delivery } = endpoint.begin(message(), null)
    assert.equal(delivery, undefined)
    assert.deepEqual([answer.kind, answer.status, answer.rejection.code], ['unconfigured', 503, 'secret_missing'])
    assert.equal(answer.headers[answer.headers.indexOf('retry-after') + 1], '30')
    assert.equal(endpoint.dedupCounts().new, 0)
  })
}

for (const [name, wrap] of Object.entries(wrappers)) {
  test(`${name} can be built whatever the secret is`, () => {
    for (const [what, signatureSecret] of degenerate) assert.doesNotThrow(() => wrap({ signatureSecret }), what)
    wrap({})
  })

  test(`${name} says which option is wrong`, () => {
    const signatureSecret = SECRET
    assert.throws(() => wrap({ signatureSecret, provider: 'nobody' }), { code: 'unknown_provider' })
    assert.throws(() => wrap({ signatureSecret, provider: undefined }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, idempotencyKey: 'svix-id' }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, rejectStatus: 200 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, toleranceSeconds: 0 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, maxBodyBytes: 0.5 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, dedupTtlSeconds: 1 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, onSilentDrop: 'explode' }), SurehookError)
    assert.throws(() => wrap({ signatureSecret, name: 7 }), SurehookError)
  })
}

test('the class refuses them too', () => {
  for (const [what, secret] of degenerate) assert.throws(() => new Webhook(secret), SurehookError, what)
})

test('the log names the variable, once, and only when a request comes', () => {
  log.length = 0
  const endpoint = new Endpoint({ provider: 'clerk', name: 'names its variable' })
  assert.deepEqual(log, [])
  for (let i = 0; i < 3; i++) endpoint.begin(message(), null)
  assert.equal(log.filter((line) => line.includes('names its variable')).length, 1)
  assert.match(log.join('\n'), /CLERK_WEBHOOK_SIGNING_SECRET/)
})

test('an endpoint works as soon as its secret is there', () => {
  const endpoint = new Endpoint({ provider: 'clerk', name: 'comes later' })
  process.env.CLERK_WEBHOOK_SECRET = SECRET
  assert.ok(endpoint.begin(message(), null).delivery)
})

test('other secrets are taken without a restart', () => {
  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: OTHER_SECRET, name: 'rotates' })
  assert.equal(endpoint.begin(message(), null).answer.status, 401)
  endpoint.setSecrets([SECRET, OTHER_SECRET])
  for (const unusable of ['', [], 'whsec_short', [SECRET, ''], 5, undefined]) {
    assert.throws(() => { endpoint.setSecrets(unusable) }, SurehookError)
    assert.ok(endpoint.begin(message(), null).delivery)
  }
})

test('the environment may hold several secrets', () => {
  const works = (variables) => {
    for (const name of VARIABLES) delete process.env[name]
    Object.assign(process.env, variables)
    return new Endpoint({ provider: 'clerk', name: 'several' }).begin(message(), null).delivery !== undefined
  }
  assert.ok(works({ CLERK_WEBHOOK_SIGNING_SECRET: `${OTHER_SECRET},${SECRET}` }))
  assert.ok(works({ CLERK_WEBHOOK_SIGNING_SECRET: OTHER_SECRET, CLERK_WEBHOOK_SIGNING_SECRET_PREVIOUS: SECRET }))
  assert.ok(works({ CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SECRET: SECRET }))
  assert.ok(!works({ CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SIGNING_SECRET_PREVIOUS: SECRET }))
})

test('a secret that the user chose is warned about, not refused', () => {
  const scheme = { provider: 'paystack', secret: 'utf8', algorithm: 'hmac_sha512', signature: { header: 'x-paystack-signature' }, content: '{body}' }
  for (const signatureSecret of ['sk_live_0123456789abcdef0123456789', 'my cat', '$ecret of mine, quite long']) {
    for (const signer of [{ scheme }, { provider: 'github' }]) {
      log.length = 0
      new Endpoint({ ...signer, signatureSecret, name: 'chosen' }).check()
      assert.ok(log.length > 0 && !log.join('\n').includes(signatureSecret), signatureSecret)
    }
  }
})

test('a handshake is answered with the secret that signed it', () => {
  const question = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken: 'token' } })
  const time = String(Math.floor(Date.now() / 1000))
  const hmac = (text) => createHmac('sha256', 'the one that signs').update(text).digest('hex')
  for (const signatureSecret of [['the one that signs', 'the other one, as long'], ['the other one, as long', 'the one that signs']]) {
    const endpoint = new Endpoint({ provider: 'zoom', signatureSecret })
    const headers = ['x-zm-request-timestamp', time, 'x-zm-signature', `v0=${hmac(`v0:${time}:${question}`)}`]
    const { answer } = endpoint.begin({ method: 'POST', path: '/', headers, body: Buffer.from(question) }, null)
    assert.equal(JSON.parse(answer.body).encryptedToken, hmac('token'))
  }
})

test('Fastify says what is missing when the server becomes ready, and serves everything else', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.get('/healthz', () => 'fine')
  app.post('/hook', fastify({ provider: 'clerk', name: 'told at the start' }), () => 'never')
  log.length = 0
  await app.ready()
  assert.match(log.join('\n'), /told at the start.*CLERK_WEBHOOK_SIGNING_SECRET/)
  assert.equal((await app.inject('/healthz')).statusCode, 200)
  const body = clerkEvent()
  const answer = await app.inject({ method: 'POST', url: '/hook', headers: svixHeaders(body), body })
  assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '30'])
})

test('Express and Next answer 503 and everything else as ever', async (t) => {
  const app = Express()
  app.get('/healthz', (_request, response) => response.send('fine'))
  app.post('/hook', express({ provider: 'clerk', name: 'express without' }), (_request, response) => response.send('never'))
  const server = await new Promise((resolve) => { const started = app.listen(0, '127.0.0.1', () => { resolve(started) }) })
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address().port}`
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  const body = clerkEvent()
  const answer = await fetch(`${url}/hook`, { method: 'POST', headers: svixHeaders(body), body })
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '30'])

  const POST = nextjs({ provider: 'clerk', name: 'next without' }, () => new Response('never'))
  const nexts = await POST(new Request('http://localhost/hook', { method: 'POST', headers: svixHeaders(body), body }))
  assert.deepEqual([nexts.status, nexts.headers.get('retry-after')], [503, '30'])
})
