// What callers hand in by mistake is a SurehookError that names the option: nothing foreign, and never the value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, FINDINGS, init, SurehookError, verify, Webhook } from 'surehook'
import { withWebhookMonitoring as express } from 'surehook/express'
import { withWebhookMonitoring as fastify } from 'surehook/fastify'
import { withWebhookMonitoring as nextjs } from 'surehook/nextjs'
import { clerkEvent, SECRET, svixHeaders } from './support/signing.mjs'

const quiet = () => {}
init({ logger: { info: quiet, warn: quiet, error: quiet } })

const body = clerkEvent()
const builders = {
  Endpoint: (options) => new Endpoint(options),
  express: (options) => express(options),
  fastify: (options) => fastify(options),
  nextjs: (options) => nextjs(options, () => new Response()),
}
const cyclic = {}
cyclic.self = cyclic

/** Values of every type, each with the secret somewhere in it where that is possible. */
const values = {
  undefined, null: null, boolean: true, number: 7, NaN: Number.NaN, bigint: 7n, symbol: Symbol(SECRET), object: { SECRET }, cyclic,
  list: [[SECRET]], bytes: Buffer.from(SECRET), String: new String(SECRET), function: () => SECRET, Map: new Map([[SECRET, SECRET]]),
  bare: Object.create(null), proxy: new Proxy({}, { get() { throw new RangeError(SECRET) } }),
}

function refuses(call, code, what) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof SurehookError, `${what}: ${error?.stack}`)
    assert.equal(error.code, code, what)
    assert.ok(!`${error.stack} ${JSON.stringify(error)}`.includes(SECRET.slice(6)), `${what}: ${error.message}`)
    return true
  }, what)
}

for (const [type, value] of Object.entries(values)) {
  test(`a secret that is ${type}`, () => {
    if (type !== 'function') {
      for (const build of Object.values(builders)) build({ provider: 'clerk', signatureSecret: value })
      refuses(() => { new Endpoint({ provider: 'clerk', signatureSecret: value }).check() }, 'secret_missing', 'Endpoint')
    }
    refuses(() => new Webhook(value), 'secret_missing', 'Webhook')
    refuses(() => new Webhook([SECRET, value]), 'secret_missing', 'Webhook of a list')
    refuses(() => verify({ provider: 'clerk', secret: value, body, headers: {} }), 'secret_missing', 'verify')
    refuses(() => verify({ scheme: value ?? null, secret: SECRET, body, headers: {} }), 'invalid_option', 'scheme')
  })

  test(`options that are ${type}`, () => {
    if (['object', 'cyclic', 'list', 'bytes', 'String', 'Map', 'bare', 'proxy', 'function'].includes(type)) return
    for (const [name, build] of Object.entries(builders)) refuses(() => build(value), 'invalid_option', name)
    refuses(() => verify(value), 'invalid_option', 'verify')
  })

  for (const option of ['url', 'verifyToken', 'name', 'dedup', 'eventTypeField', 'toleranceSeconds', 'maxBodyBytes', 'rejectStatus', 'dedupTtlSeconds', 'requireProcessingMark', 'ignore', 'steps', 'onSilentDrop', 'onIdReuse', 'onInFlight', 'onStoreError', 'store', 'captureBody', 'tracing', 'verification', 'idempotencyKey', 'signatureVerifier']) {
    test(`${option} that is ${type}`, () => {
      const right = { number: /^(toleranceSeconds|maxBodyBytes)$/, boolean: /^(requireProcessingMark|captureBody)$/, function: /^(idempotencyKey|signatureVerifier)$/, bare: /^(steps|captureBody)$/, Map: /^(steps|captureBody)$/, proxy: /^(steps|captureBody)$/ }[type]
      if (value === undefined || right?.test(option)) return
      refuses(() => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, [option]: value }), 'invalid_option', option)
    })
  }

  test(`headers and a body that are ${type} are refused as a request`, () => {
    for (const request of [{ body, headers: value }, { body: value, headers: svixHeaders(body) }, { body: value, headers: value }]) {
      const result = verify({ provider: 'clerk', secret: SECRET, ...request })
      assert.equal(result.ok, false)
      assert.ok(['missing_header', 'body_unavailable', 'signature_mismatch'].includes(result.code), result.code)
      assert.throws(() => new Webhook(SECRET).verify(request.body, request.headers), { name: 'WebhookVerificationError', code: result.code })
    }
  })

  for (const option of ['apiKey', 'endpoint', 'caFile', 'spoolDir', 'spoolMaxAttempts', 'spoolMaxBytes', 'beforeSend']) {
    test(`${option} of init that is ${type}`, () => {
      const right = { number: /^spoolMax/, NaN: /^spoolMax/, function: /^beforeSend$/ }[type]
      if (value === undefined || right?.test(option)) return
      refuses(() => init({ [option]: value }), 'invalid_option', option)
    })
  }

  for (const option of ['method', 'url', 'now', 'toleranceSeconds', 'maxBodyBytes']) {
    test(`${option} of verify that is ${type}`, () => {
      if (value === undefined || (type === 'number' && ['toleranceSeconds', 'maxBodyBytes'].includes(option))) return
      refuses(() => verify({ provider: 'clerk', secret: SECRET, body, headers: svixHeaders(body), [option]: value }), 'invalid_option', option)
    })
  }
}

test('a URL that is none is refused, with an example', () => {
  for (const url of ['', 'example.com/hook', '/hook', 'ftp://example.com', 'https://', 'https://example.com/?a=1', 'https://example.com/#a', 'https://exa mple.com', 'https://example.com/\n']) {
    assert.throws(() => new Endpoint({ provider: 'twilio', signatureSecret: 'x'.repeat(32), url }), (error) => error.code === 'invalid_option' && /https:\/\/example\.com/.test(error.message), url)
  }
  assert.throws(() => new Endpoint({ provider: 'square', signatureSecret: 'x'.repeat(32) }), { code: 'invalid_option', message: /the option url/ })
})

test('a dedup URL that is none is refused by the name of the option, and never repeated', () => {
  for (const dedup of ['', 'redis', 'mysql://u:canary@h/d', 'sqlite://', 'sqlite://relative.db', 'redis://:canary@', 'postgres://u:canary@h:port/d', 'rediss+cluster://:canary@', 'memory://x']) {
    refuses(() => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, dedup }), 'invalid_option', dedup)
    assert.throws(() => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, dedup }), (error) => /the option dedup /.test(error.message) && !error.stack.includes('canary'), dedup)
  }
})

test('a store that lacks a member, or goes with what it takes the place of, is refused by name', () => {
  const store = { kind: 'pg', transaction: async () => {}, load: async () => null, replace: async () => true }
  const build = (options) => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, ...options })
  for (const member of Object.keys(store)) refuses(() => build({ store: { ...store, [member]: undefined } }), 'invalid_option', member)
  for (const kind of ['', 'A', 'x'.repeat(41)]) refuses(() => build({ store: { ...store, kind } }), 'invalid_option', kind)
  for (const options of [{ dedup: 'memory://' }, { onInFlight: 'wait' }]) refuses(() => build({ store, ...options }), 'invalid_option', JSON.stringify(options))
  assert.equal(build({ store }).name, 'clerk')
})

test('paths of captured bodies that are none are refused, and none but two lists', () => {
  const build = (captureBody) => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, captureBody })
  for (const captureBody of ['data.email', [7], [''], ['data..email'], ['.'], { keep: 'data' }, { remove: [null] }, { omit: ['data'] }, { keep: ['data'], except: [] }, 1]) {
    refuses(() => build(captureBody), 'invalid_option', JSON.stringify(captureBody))
    assert.throws(() => build(captureBody), /the option captureBody /)
  }
  for (const captureBody of [true, false, [], ['data.email'], {}, { keep: ['data'] }, { keep: ['data.*'], remove: ['data.email'] }]) assert.equal(build(captureBody).name, 'clerk')
})

test('an option is called in an error what the user called it', () => {
  const build = (options) => () => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, ...options })
  assert.throws(build({ toleranceSeconds: 0 }), /the option toleranceSeconds /)
  assert.throws(build({ maxBodyBytes: 0 }), /the option maxBodyBytes /)
  assert.throws(build({ dedupTtlSeconds: 1 }), /the option dedupTtlSeconds /)
  assert.throws(build({ eventTypeField: 'a..b' }), /the option eventTypeField /)
})

for (const [secret, finding] of [
  [` ${SECRET}`, 'secret_whitespace_or_quotes'],
  [`"${SECRET}"`, 'secret_whitespace_or_quotes'],
  ['sk_live_0123456789abcdef0123456789abcdef', 'not_a_webhook_secret'],
  ['${CLERK_WEBHOOK_SIGNING_SECRET}', 'not_a_webhook_secret'],
  ['whsec_bw==', undefined],
]) {
  test(`the error for a secret tells what it is: ${finding}`, () => {
    for (const build of [() => { new Endpoint({ provider: 'clerk', signatureSecret: secret }).check() }, () => new Webhook(secret), () => verify({ provider: 'clerk', secret, body, headers: {} })]) {
      assert.throws(build, (error) => error instanceof SurehookError && error.code === 'secret_invalid' && error.details.finding === finding)
    }
    assert.ok(finding === undefined || FINDINGS.includes(finding))
  })
}
