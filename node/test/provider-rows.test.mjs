// What the providers' own documents say beyond a signature: URLs, forms, times in a queue, who switches endpoints off.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { Endpoint, verify, Webhook } from 'surehook'
import { wrappers } from './support/wrappers.mjs'

const KEY = '0123456789abcdef0123456789abcdef'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const CALL = { CallSid: 'CA1', Digits: '1 2', To: '+1800' }

const mac = (content, digest = 'sha256') => createHmac(digest, KEY).update(content).digest()
const form = (members) => new URLSearchParams(members).toString()
const flat = (headers) => Object.entries(headers).flat()
const seconds = (at = Date.now()) => Math.floor(at / 1000)

const begin = (endpoint, headers, body, path = '/hook', more = {}) =>
  endpoint.begin({ method: 'POST', path, headers: flat(headers), body: Buffer.from(body), ...more }, null)

function handled(endpoint, headers, body, path, more) {
  const { delivery, answer } = begin(endpoint, headers, body, path, more)
  assert.ok(delivery, JSON.stringify(answer))
  delivery.finish({ status: 200, headers: [], body: Buffer.alloc(0) })
  return delivery
}

function twilio(url, members) {
  const content = url + Object.keys(members).sort().map((name) => name + members[name]).join('')
  return { ...FORM, 'x-twilio-signature': mac(content, 'sha1').toString('base64') }
}

const github = (body) => ({ 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${mac(body).toString('hex')}` })
const stripe = (body, at = Date.now()) => ({ 'stripe-signature': `t=${seconds(at)},v1=${mac(`${seconds(at)}.${body}`).toString('hex')}` })

test('twilio with and without port, at several urls, and never by what a request says of its host', () => {
  const urls = ['https://a.example/voice', 'https://b.example:8443/voice']
  const endpoint = new Endpoint({ provider: 'twilio', signatureSecret: KEY, url: urls, name: 'several urls' })
  for (const [i, signed] of [urls[0], 'https://a.example:443/voice', urls[1], 'https://b.example/voice'].entries()) {
    const members = { ...CALL, CallSid: `CA${i}` }
    handled(endpoint, twilio(`${signed}?x=1`, members), form(members), '/voice?x=1')
  }
  for (const forged of ['https://c.example/voice', 'http://a.example/voice']) {
    const headers = { ...twilio(forged, CALL), host: 'c.example', forwarded: 'host=c.example;proto=https', 'x-forwarded-host': 'c.example' }
    assert.equal(begin(endpoint, headers, form(CALL), '/voice').answer.status, 401)
  }
})

test('parameters of the path are those of the request', () => {
  const endpoint = new Endpoint({ provider: 'twilio', signatureSecret: KEY, url: 'https://a.example/{tenant}/voice', name: 'tenants' })
  const signed = twilio('https://a.example/acme/voice', CALL)
  handled(endpoint, signed, form(CALL), '/acme/voice')
  assert.equal(begin(endpoint, signed, form(CALL), '/other/voice').answer.status, 401)
})

test('urls that cannot be used are errors', () => {
  for (const url of [['https://a.example/', 'https://b.example/', 'https://c.example/'], 'https://{host}/', 5, [5], {}]) {
    assert.throws(() => new Endpoint({ provider: 'twilio', signatureSecret: KEY, url }), { code: 'invalid_option' })
  }
})

test('a retry of linear is known where no data names the event, and its entity', () => {
  const endpoint = new Endpoint({ provider: 'linear', signatureSecret: KEY, name: 'linear' })
  const event = (webhookTimestamp) => JSON.stringify({ type: 'AppUserNotification', action: 'issueMention', createdAt: '2026-01-01T00:00:00.000Z', notification: { id: 'n1' }, webhookId: 'w1', webhookTimestamp })
  const [first, retry] = [event(Date.now()), event(Date.now() + 1)]
  const signed = (body) => ({ 'linear-signature': mac(body).toString('hex') })
  assert.equal(handled(endpoint, signed(first), first).entityId, 'n1')
  assert.equal(begin(endpoint, signed(retry), retry).answer.kind, 'replay')
})

test('a thin event of stripe names its entity, and its header gets the right codes', () => {
  const endpoint = new Endpoint({ provider: 'stripe', signatureSecret: KEY, name: 'thin' })
  const body = JSON.stringify({ id: 'evt_1', object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found', related_object: { id: 'mtr_1' } })
  assert.equal(handled(endpoint, stripe(body), body).entityId, 'mtr_1')
  for (const [value, code] of [['garbage', 'malformed_signature'], [`t=${seconds()},v0=00`, 'no_supported_version'], [`v1=${'0'.repeat(64)}`, 'malformed_timestamp']]) {
    assert.equal(verify({ provider: 'stripe', secret: KEY, body: '{}', headers: { 'stripe-signature': value } }).code, code)
  }
})

test('a form is handed over parsed, and to the key function too', () => {
  const seen = []
  const endpoint = new Endpoint({ provider: 'github', signatureSecret: KEY, name: 'forms', idempotencyKey: (_, body) => { seen.push(body); return body.ref } })
  const body = form({ payload: JSON.stringify({ ref: 'main', text: 'a&b=c' }) })
  assert.deepEqual(handled(endpoint, { ...FORM, ...github(body) }, body).form, { ref: 'main', text: 'a&b=c' })
  assert.deepEqual(seen, [{ ref: 'main', text: 'a&b=c' }])
  const json = '{"ref":"x&payload=%7B%7D"}'
  assert.equal(handled(endpoint, { ...FORM, ...github(json) }, json).form, null)
})

for (const framework of ['express', 'fastify']) {
  test(`${framework}: request.body is what the form holds`, async (t) => {
    const bodies = []
    const handler = (request) => { bodies.push(request.body); return 'ok' }
    const call = await wrappers[framework](t, { provider: 'github', signatureSecret: KEY, name: `forms of ${framework}` }, handler)
    const body = form({ payload: JSON.stringify({ ref: 'main' }) })
    const { status } = await call({ headers: { ...FORM, ...github(body) }, body })
    assert.equal(status, 200)
    assert.deepEqual(bodies, [{ ref: 'main' }])
  })
}

test('a message that waited in a queue is as old as when it was received', () => {
  const endpoint = new Endpoint({ provider: 'stripe', signatureSecret: KEY, name: 'queue' })
  const hourAgo = Date.now() - 3_600_000
  const body = '{"id":"evt_q","type":"a"}'
  const headers = stripe(body, hourAgo)
  assert.equal(begin(endpoint, headers, body).answer.status, 401)
  for (const received of [hourAgo + 400_000, Date.now() + 10_000_000, 0]) {
    assert.equal(begin(endpoint, headers, body, '/', { receivedAt: new Date(received) }).answer.status, 401)
  }
  handled(endpoint, headers, body, '/', { receivedAt: new Date(hourAgo + 10_000) })
  const request = { provider: 'stripe', secret: KEY, body, headers }
  assert.equal(verify(request).code, 'timestamp_too_old')
  assert.equal(verify({ ...request, receivedAt: new Date(hourAgo) }).ok, true)
  assert.throws(() => verify({ ...request, receivedAt: hourAgo }), { code: 'invalid_option' })
  const webhook = new Webhook([Buffer.from(KEY)], { format: 'raw' })
  const at = new Date(hourAgo)
  const sent = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds(hourAgo)), 'webhook-signature': webhook.sign('msg_1', at, body) }
  assert.throws(() => webhook.verify(body, sent), { code: 'timestamp_too_old' })
  assert.deepEqual(webhook.verify(body, sent, { receivedAt: at }), JSON.parse(body))
})

test('polar waits for the answer of another attempt unless told otherwise', async () => {
  for (const [onInFlight, waits] of [[undefined, true], ['answer', false]]) {
    const endpoint = new Endpoint({ provider: 'polar', signatureSecret: KEY, name: `polar ${onInFlight}`, ...(onInFlight && { onInFlight }) })
    const signature = mac(`msg_1.${seconds()}.{}`).toString('base64')
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds()), 'webhook-signature': `v1,${signature}` }
    const { delivery } = await begin(endpoint, headers, '{}')
    const second = begin(endpoint, headers, '{}')
    if (!waits) assert.equal((await second).answer.status, 409)
    await delivery.finish({ status: 201, headers: [], body: Buffer.from('done') })
    if (waits) assert.equal((await second).answer.status, 201)
  }
})

test('a body that was signed before it was compressed', () => {
  const scheme = { provider: 'acme', secret: 'utf8', algorithm: 'hmac_sha256', signature: { header: 'X-Acme' }, content: '{body}', signedBeforeCompression: true }
  const body = JSON.stringify({ type: 'a', filler: 'x'.repeat(500) })
  const headers = { 'x-acme': mac(body).toString('hex') }
  const endpoint = new Endpoint({ scheme, signatureSecret: KEY, name: 'packed', maxBodyBytes: body.length })
  const packed = (coding) => ({ ...headers, 'content-encoding': coding })
  assert.ok(begin(endpoint, packed('gzip'), gzipSync(body)).delivery)
  assert.equal(begin(endpoint, packed('deflate'), deflateSync(body)).answer.status, 409, 'one message, however it was packed')
  assert.equal(begin(endpoint, packed('gzip'), gzipSync(Buffer.alloc(10_000_000))).answer.status, 413)
  const request = { scheme, secret: KEY, body: gzipSync(body) }
  assert.equal(verify({ ...request, headers: packed('gzip') }).messageId, verify({ ...request, body, headers }).messageId)
  assert.equal(verify({ ...request, headers }).code, 'signature_mismatch')
  assert.equal(verify({ ...request, headers: packed('gzip'), maxBodyBytes: 100 }).code, 'body_too_large')
})
