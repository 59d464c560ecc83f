// Verification alone: the drop-in class, and the function that says why.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verify, Webhook, WebhookVerificationError } from 'surehook'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { clerkEvent, newId, OTHER_SECRET, SECRET, standardHeaders, svixHeaders } from './support/signing.mjs'

const body = clerkEvent()
const event = JSON.parse(body)
const webhook = new Webhook(SECRET)

const upper = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))

for (const [what, payload] of [
  ['text', body],
  ['a Buffer', Buffer.from(body)],
  ['a Uint8Array', new TextEncoder().encode(body)],
]) {
  test(`takes the payload as ${what}`, () => assert.deepEqual(webhook.verify(payload, svixHeaders(body)), event))
}

test('looks at no byte outside of a view', () => {
  const padded = new TextEncoder().encode(`__${body}__`)
  const view = padded.subarray(2, padded.length - 2)
  assert.deepEqual(webhook.verify(view, svixHeaders(body)), event)
})

for (const [what, shape] of [
  ['a plain object', (headers) => headers],
  ['upper-case names', upper],
  ['a Headers object', (headers) => new Headers(headers)],
  ['a Map', (headers) => new Map(Object.entries(headers))],
  ['a list of pairs', (headers) => Object.entries(headers)],
  ['rawHeaders', (headers) => ['Host', 'x', ...Object.entries(upper(headers)).flat()]],
  ['values in lists', (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))],
  ['bytes', (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]))],
  ['a Map of bytes', (headers) => new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), [new TextEncoder().encode(value)]]))],
  ['rawHeaders of bytes', (headers) => Object.entries(headers).flat().map((one) => Buffer.from(one))],
  ['a number for the time', (headers) => ({ ...headers, 'svix-timestamp': Number(headers['svix-timestamp']), other: undefined })],
]) {
  test(`takes headers as ${what}`, () => assert.deepEqual(webhook.verify(body, shape(svixHeaders(body))), event))
}

test('takes the header names of the Standard Webhooks specification', () => {
  assert.deepEqual(webhook.verify(body, standardHeaders(body)), event)
})

test('takes several secrets while one is being rotated', () => {
  const rotating = new Webhook([OTHER_SECRET, SECRET])
  assert.deepEqual(rotating.verify(body, svixHeaders(body)), event)
  assert.deepEqual(rotating.verify(body, svixHeaders(body, { secret: OTHER_SECRET })), event)
})

test('returns what the class of standardwebhooks returns, and throws where it and svix throw', () => {
  const svix = new SvixWebhook(SECRET)
  const standard = new StandardWebhook(SECRET)
  for (const payload of [body, Buffer.from(body), '[1]', 'null', '']) {
    const headers = standardHeaders(payload.toString())
    assert.deepEqual(webhook.verify(payload, headers), standard.verify(payload, headers))
    assert.equal(webhook.verify(payload, headers, { jsonParse: false }), undefined)
  }
  const headers = svixHeaders(body)
  for (const wrong of [{ ...headers, 'svix-id': 'other' }, {}, svixHeaders(body, { secret: OTHER_SECRET })]) {
    assert.throws(() => svix.verify(body, wrong))
    assert.throws(() => webhook.verify(body, wrong), WebhookVerificationError)
    assert.throws(() => webhook.verify(body, wrong, { jsonParse: false }), WebhookVerificationError)
  }
})

const refused = [
  ['a wrong secret', body, () => svixHeaders(body, { secret: OTHER_SECRET }), 'signature_mismatch'],
  ['another body', clerkEvent(), () => svixHeaders(body), 'signature_mismatch'],
  ['a space more', `${body} `, () => svixHeaders(body), 'signature_mismatch', 'body_reserialized'],
  ['no headers', body, () => ({}), 'missing_header'],
  ['headers that are null', body, () => null, 'missing_header'],
  ['headers that are text', body, () => 'svix-id: msg_1', 'missing_header'],
  ['headers of nonsense', body, () => [1, [2], ['svix-id', {}], null], 'missing_header'],
  ['headers that are bytes', body, () => Buffer.from('svix-id: msg_1'), 'missing_header'],
  ['headers that throw', body, () => ({ get 'svix-id'() { throw new RangeError('not ours') } }), 'missing_header'],
  ['names that throw', body, () => [[{ toString() { throw new RangeError('not ours') } }, 'x']], 'missing_header'],
  ['an id in a list of two', body, () => ({ ...svixHeaders(body), 'svix-id': ['msg_1', 'msg_2'] }), 'duplicate_header'],
  ['an id in two cases', body, () => ({ ...svixHeaders(body), 'Svix-ID': newId() }), 'duplicate_header'],
  ['two ids', body, () => [...Object.entries(svixHeaders(body)), ['Svix-Id', newId()]], 'duplicate_header'],
  ['both families', body, () => ({ ...svixHeaders(body), ...standardHeaders(body) }), 'mixed_header_family', 'header_rewritten'],
  ['a line feed in the id', body, () => ({ ...svixHeaders(body), 'svix-id': 'msg_1\nsvix-id' }), 'malformed_message_id'],
  ['a parsed body', event, () => svixHeaders(body), 'body_unavailable'],
  ['no body', undefined, () => svixHeaders(body), 'body_unavailable'],
  ['an old message', body, () => svixHeaders(body, { at: new Date(Date.now() - 301_000) }), 'timestamp_too_old', 'clock_skew'],
  ['a message of the future', body, () => svixHeaders(body, { at: new Date(Date.now() + 302_000) }), 'timestamp_too_new', 'clock_skew'],
  ['a body over the limit', 'x'.repeat(1024 * 1024 + 1), () => ({}), 'body_too_large'],
]

for (const [what, payload, headers, code, finding] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => webhook.verify(payload, headers()),
      (error) => {
        assert.ok(error instanceof WebhookVerificationError && error instanceof Error)
        assert.equal(error.code, code)
        assert.equal(error.name, 'WebhookVerificationError')
        // A busy machine may leave no time to find the cause; another one is never named. See conformance.test.mjs.
        assert.ok([undefined, finding].includes(error.diagnosis?.finding), error.diagnosis?.finding)
        assert.ok(error.docs.endsWith(`/${error.diagnosis?.finding ?? code}.md`))
        return true
      },
    )
    const result = verify({ provider: 'clerk', secret: SECRET, body: payload, headers: headers() })
    assert.equal(result.ok ? 'ok' : result.code, code)
  })
}

test('a line feed cannot smuggle in a header', () => {
  const headers = svixHeaders(body)
  const smuggled = { other: `x\nsvix-signature\n${headers['svix-signature']}`, 'svix-id': headers['svix-id'], 'svix-timestamp': headers['svix-timestamp'] }
  assert.throws(() => webhook.verify(body, smuggled), { code: 'missing_header' })
})

test('a body of bytes that are no text is verified on its bytes', () => {
  const bytes = Buffer.from([0x7b, 0xff, 0x7d])
  const asText = bytes.toString('utf8')
  const result = verify({ provider: 'svix', secret: SECRET, body: bytes, headers: svixHeaders(asText) })
  assert.equal(result.code, 'signature_mismatch', 'a signature over U+FFFD is not one over 0xFF')
})

test('verify tells the id and the signed time', () => {
  const at = new Date(1_700_000_000_000)
  const headers = svixHeaders(body, { id: 'msg_known', at })
  const result = verify({ provider: 'clerk', secret: SECRET, body, headers, now: at })
  assert.deepEqual(result, { ok: true, messageId: 'msg_known', timestamp: at })
})

test('verify keeps secrets apart', () => {
  const headers = svixHeaders(body)
  assert.equal(verify({ provider: 'clerk', secret: SECRET, body, headers }).ok, true)
  assert.equal(verify({ provider: 'clerk', secret: OTHER_SECRET, body, headers }).ok, false)
  assert.equal(verify({ provider: 'clerk', secret: SECRET, body, headers }).ok, true)
})

test('takes the payload as an ArrayBuffer', () => {
  const payload = new Uint8Array(Buffer.from(body)).buffer
  assert.deepEqual(webhook.verify(payload, svixHeaders(body)), event)
  assert.equal(verify({ provider: 'clerk', secret: SECRET, body: payload, headers: svixHeaders(body) }).ok, true)
})

test('an unknown provider and a tolerance out of range are errors of the caller', () => {
  const request = { secret: SECRET, body, headers: svixHeaders(body) }
  assert.throws(() => verify({ ...request, provider: 'nobody' }), { code: 'unknown_provider' })
  for (const toleranceSeconds of [0, -1, 3601, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => verify({ ...request, provider: 'clerk', toleranceSeconds }), { code: 'invalid_option' })
  }
})
