// Schemes of the user's own: the same row as a provider's, in camelCase, without code.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Endpoint, init, SurehookError, verify } from 'surehook'
import { hexHmac, wrappers } from './support/wrappers.mjs'

const quiet = () => {}
init({ logger: { info: quiet, warn: quiet, error: quiet } })

const secret = 'a secret of acme that is long enough'
const body = JSON.stringify({ kind: 'order', id: 'evt_1', order: { id: 'order_7' }, sent: { at: 1_700_000_000_000 } })
const acme = {
  provider: 'acme',
  title: 'Acme',
  docs: 'https://example.com/webhooks',
  secretEnv: ['ACME_WEBHOOK_SECRET'],
  secret: 'utf8',
  algorithm: 'hmac_sha256',
  encoding: 'hex',
  signature: { header: 'X-Acme-Signature', prefix: 'sha256=' },
  content: 'v1:{timestamp}:{body}',
  timestamp: { header: 'X-Acme-Time', toleranceSeconds: 60 },
  messageId: { body: ['id'] },
  eventType: { body: ['kind'] },
  entityId: 'order.id',
  maxBodyBytes: 1000,
  constantBody: true,
  note: 'For tests.',
}

/** The headers of a message of acme. */
function signed(text = body, at = new Date()) {
  const time = String(Math.floor(at / 1000))
  return { 'x-acme-time': time, 'X-ACME-SIGNATURE': `sha256=${hexHmac(secret, `v1:${time}:${text}`)}` }
}

afterEach(() => { delete process.env.ACME_WEBHOOK_SECRET })

for (const [framework, serve] of Object.entries(wrappers)) {
  test(`${framework}: a scheme verifies, names and de-duplicates messages`, async (t) => {
    let runs = 0
    const call = await serve(t, { scheme: acme, signatureSecret: secret }, () => `run ${++runs}`)
    const first = await call({ headers: signed(), body })
    const retry = await call({ headers: signed(body, new Date(Date.now() + 2000)), body })
    assert.deepEqual([first.status, first.text, retry.status, retry.text], [200, 'run 1', 200, 'run 1'])
    const forged = { ...signed(), 'X-ACME-SIGNATURE': `sha256=${hexHmac('another secret, just as long', body)}` }
    assert.equal((await call({ headers: forged, body })).status, 401)
    assert.equal((await call({ headers: signed('x'.repeat(1001)), body: 'x'.repeat(1001) })).status, 413)
  })
}

test('an endpoint takes its name, its limits and its secret from the scheme', () => {
  assert.throws(() => { new Endpoint({ scheme: acme }).check() }, (error) => error.code === 'secret_missing' && error.message.includes('ACME_WEBHOOK_SECRET'))
  assert.throws(() => { new Endpoint({ scheme: acme, signatureSecret: 7 }).check() }, (error) => error.code === 'secret_missing' && error.message.includes('process.env.ACME_WEBHOOK_SECRET'))
  process.env.ACME_WEBHOOK_SECRET = secret
  const endpoint = new Endpoint({ scheme: acme })
  assert.deepEqual([endpoint.name, endpoint.provider, endpoint.maxBodyBytes], ['acme', 'acme', 1000])
  const { delivery } = endpoint.begin({ method: 'POST', path: '/', headers: Object.entries(signed()).flat(), body: Buffer.from(body) })
  assert.deepEqual([delivery.messageId, delivery.eventType, delivery.entityId], ['evt_1', 'order', 'order_7'])
})

test('verify takes a scheme, and tells a changed body from a forged one', () => {
  const at = new Date(1_700_000_000_000)
  const request = { scheme: acme, secret, body, headers: signed(body, at), now: at }
  assert.deepEqual(verify(request), { ok: true, messageId: 'evt_1', timestamp: at })
  assert.equal(verify({ ...request, now: new Date(at.getTime() + 61_000) }).code, 'timestamp_too_old')
  assert.equal(verify({ ...request, toleranceSeconds: 600, now: new Date(at.getTime() + 61_000) }).ok, true)
  assert.equal(verify({ ...request, body: '{}' }).code, 'signature_mismatch')
  assert.equal(verify({ ...request, body: 'x'.repeat(1001) }).code, 'body_too_large')
})

test('a scheme without a timestamp has none', () => {
  const { timestamp: _, ...timeless } = { ...acme, content: '{body}' }
  const headers = { 'x-acme-signature': `sha256=${hexHmac(secret, body)}` }
  assert.deepEqual(verify({ scheme: timeless, secret, body, headers }), { ok: true, messageId: 'evt_1', timestamp: null })
})

test('a scheme can sign the method and the URL with its query', () => {
  const scheme = { ...acme, content: '{method} {url} {timestamp} {body}' }
  const time = String(Math.floor(Date.now() / 1000))
  const url = 'https://example.com/hook?a=1&b=%20'
  const headers = { 'x-acme-time': time, 'x-acme-signature': `sha256=${hexHmac(secret, `PUT ${url} ${time} ${body}`)}` }
  assert.equal(verify({ scheme, secret, body, headers, method: 'PUT', url }).ok, true)
  assert.equal(verify({ scheme, secret, body, headers, method: 'POST', url }).code, 'signature_mismatch')
  assert.equal(verify({ scheme, secret, body, headers, method: 'PUT', url: `${url}1` }).code, 'signature_mismatch')
  assert.throws(() => verify({ scheme, secret, body, headers }), { code: 'invalid_option', message: /the option url/ })
  const endpoint = new Endpoint({ scheme, signatureSecret: secret, name: 'by-url', url: 'https://example.com/hook' })
  const incoming = { method: 'PUT', path: '/behind/a/proxy?a=1&b=%20', headers: Object.entries(headers).flat(), body: Buffer.from(body) }
  assert.ok(endpoint.begin(incoming).delivery)
})

test('the other places of a signature, a time and a name', () => {
  const [time, now] = [1_700_000_000, new Date(1_700_000_000_000)]
  const hash = hexHmac(secret, body)
  for (const [changed, headers, messageId] of [
    [{ signature: { header: 'X-Acme', pairs: { separator: ';', key: 'h1' } }, timestamp: { pair: 'ts' }, content: '{timestamp}:{body}' }, { 'x-acme': `ts=${time};h1=${hexHmac(secret, `${time}:${body}`)}` }, 'evt_1'],
    [{ signature: { numberedHeader: 'X-Acme-', most: 3 }, timestamp: undefined, content: '{body}' }, { 'x-acme-3': hash }, 'evt_1'],
    [{ timestamp: { body: 'sent.at', unit: 'milliseconds', toleranceSeconds: null }, content: '{body}' }, { 'x-acme-signature': `sha256=${hash}` }, 'evt_1'],
    [{ timestamp: undefined, content: '{id}.{body}', messageId: { header: 'X-Acme-Id' } }, { 'x-acme-id': 'msg_9', 'x-acme-signature': `sha256=${hexHmac(secret, `msg_9.${body}`)}` }, 'msg_9'],
  ]) {
    const result = verify({ scheme: { ...acme, ...changed }, secret, body, headers, now })
    assert.equal(result.messageId, messageId, JSON.stringify({ changed, result }))
  }
})

const cyclic = { ...acme }
cyclic.self = cyclic
const { content: _, ...withoutContent } = acme

for (const [what, scheme, says] of [
  ['text', JSON.stringify(acme), /scheme/],
  ['null', null, /scheme/],
  ['a list', [acme], /scheme/],
  ['nothing in it', {}, /scheme/],
  ['a member missing', withoutContent, /`content`/],
  ['an unknown member', { ...acme, colour: 'red' }, /colour.*`secretEnv`.*`messageId`/],
  ['an unknown algorithm', { ...acme, algorithm: 'hmac_md5' }, /hmac_sha512/],
  ['a template of an unknown piece', { ...acme, content: '{Body}' }, /\{Body\}/],
  ['an id that nothing carries', { ...acme, content: '{id}.{body}', messageId: { body: ['id'] } }, /\{id\} needs a messageId in a header/],
  ['a limit of zero', { ...acme, maxBodyBytes: 0 }, /maxBodyBytes/],
  ['a limit that is no number', { ...acme, maxBodyBytes: '1000' }, /scheme/],
  ['a signature in two places', { ...acme, signature: { header: 'a', body: 'b' } }, /exactly one of/],
  ['a number that JSON cannot hold', { ...acme, maxBodyBytes: 10n }, /plain data/],
  ['a cycle', cyclic, /plain data/],
  ['a member that throws', { ...acme, get content() { throw new RangeError('not ours') } }, /scheme/],
  ['a secret in the place of its form', { ...acme, secret }, /standard/],
  ['a secret in the place of its variable', { ...acme, secretEnv: secret }, /sequence/],
]) {
  test(`refuses a scheme that is or has ${what}`, () => {
    for (const build of [(options) => new Endpoint({ ...options, signatureSecret: secret }), (options) => verify({ ...options, secret, body, headers: {} })]) {
      assert.throws(() => build({ scheme }), (error) => {
        assert.ok(error instanceof SurehookError && error.code === 'invalid_option', String(error))
        assert.match(error.message, says)
        assert.doesNotMatch(error.message, /secret of acme| at line /)
        return true
      })
    }
  })
}

test('a provider beside a scheme, or neither, is refused', () => {
  assert.throws(() => new Endpoint({ scheme: acme, provider: 'clerk', signatureSecret: secret }), { code: 'invalid_option', message: /not both/ })
  assert.throws(() => new Endpoint({ signatureSecret: secret }), { code: 'invalid_option', message: /provider/ })
  assert.throws(() => verify({ secret, body, headers: {} }), { code: 'invalid_option', message: /provider/ })
})
