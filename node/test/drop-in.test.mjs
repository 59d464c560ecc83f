// `Webhook` in place of the classes of `svix` and `standardwebhooks`: their interface, and what their own tests ask for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyNotJsonError, SurehookError, verify, Webhook, WebhookVerificationError } from 'surehook'
import { Webhook as StandardWebhook, WebhookVerificationError as StandardError } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { OTHER_SECRET, SECRET } from './support/signing.mjs'

const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const BODY = '{"test": 2432232314}'
const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const SIGNED_AT = new Date(1_614_265_330_000)
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const theirs = { svix: SvixWebhook, standardwebhooks: StandardWebhook }

const now = (offset = 0) => new Date(Date.now() + offset)

function headers(body, { at = now(), names = 'webhook', secret = SECRET, id = ID } = {}) {
  return {
    [`${names}-id`]: id,
    [`${names}-timestamp`]: String(Math.floor(at.getTime() / 1000)),
    [`${names}-signature`]: new StandardWebhook(secret).sign(id, at, body),
  }
}

for (const [name, Theirs] of Object.entries(theirs)) {
  test(`${name}: every public method is there`, () => {
    const methods = Object.getOwnPropertyNames(Theirs.prototype).filter((method) => !['constructor', 'verifyTimestamp'].includes(method))
    for (const method of methods) assert.equal(typeof Webhook.prototype[method], 'function', method)
  })

  test(`${name}: what one signs the other verifies`, () => {
    const [ours, other] = [new Webhook(SECRET), new Theirs(SECRET)]
    for (let i = 0; i < 50; i++) {
      const body = JSON.stringify({ i, text: 'é😀'.repeat(i % 4) })
      const at = now(i * 1000)
      for (const payload of [body, Buffer.from(body)]) assert.equal(ours.sign(`msg_${i}`, at, payload), other.sign(`msg_${i}`, at, payload))
      const sent = { 'webhook-id': `msg_${i}`, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)), 'webhook-signature': ours.sign(`msg_${i}`, at, body) }
      other.verify(body, sent)
      assert.deepEqual(ours.verify(body, sent), JSON.parse(body))
    }
  })

  for (const [what, key] of [
    ['bytes', new TextEncoder().encode('a key that only tests may know!!')],
    ['a Buffer', Buffer.from('a key that only tests may know!!')],
    ['text', 'a key that only tests may know!!'],
    ['text of single bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i)).toString('latin1')],
    ['text that looks like base64', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['text with a prefix', `whsec_${KEY}`],
  ]) {
    test(`${name}: a raw key as ${what}`, () => {
      const [ours, other] = [new Webhook(key, { format: 'raw' }), new Theirs(key, { format: 'raw' })]
      const at = now()
      const signature = ours.sign(ID, at, BODY)
      assert.equal(signature, other.sign(ID, at, BODY))
      const sent = { 'webhook-id': ID, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)), 'webhook-signature': signature }
      other.verify(BODY, sent)
      assert.deepEqual(ours.verify(BODY, sent), JSON.parse(BODY))
    })
  }
}

test('sign gives the published signature', () => {
  for (const key of [KEY, `whsec_${KEY}`]) {
    const webhook = new Webhook(key)
    for (const payload of [BODY, Buffer.from(BODY), new TextEncoder().encode(BODY), new Uint8Array(Buffer.from(BODY)).buffer]) {
      assert.equal(webhook.sign(ID, SIGNED_AT, payload), SIGNATURE)
    }
    assert.equal(webhook.sign(ID, new Date(SIGNED_AT.getTime() + 999), BODY), SIGNATURE)
  }
})

test('several secrets sign with the first', () => {
  const at = now()
  assert.equal(new Webhook([OTHER_SECRET, SECRET]).sign(ID, at, BODY), new Webhook(OTHER_SECRET).sign(ID, at, BODY))
})

for (const id of ['', 'msg.1', 'msg 1', 'msg\n1', 'é', 'x'.repeat(257)]) {
  test(`sign refuses the id ${JSON.stringify(id.slice(0, 10))} that verify refuses`, () => {
    assert.throws(() => new Webhook(SECRET).sign(id, now(), BODY), (error) => error instanceof SurehookError && error.message.includes('malformed_message_id'))
    assert.throws(() => new Webhook(SECRET).verify(BODY, headers(BODY, { id })), WebhookVerificationError)
  })
}

test('sign refuses times, bodies and arguments that verify refuses', () => {
  const webhook = new Webhook(SECRET)
  assert.throws(() => webhook.sign(ID, new Date(-1), BODY), /malformed_timestamp/)
  assert.throws(() => webhook.sign(ID, now(), 'x'.repeat(1024 * 1024 + 1)), /body_too_large/)
  for (const at of [undefined, 1614265330, 'now', new Date(Number.NaN)]) assert.throws(() => webhook.sign(ID, at, BODY), { code: 'invalid_option' })
  for (const payload of [undefined, null, { a: 1 }, 5]) assert.throws(() => webhook.sign(ID, now(), payload), { code: 'invalid_option' })
  assert.throws(() => webhook.sign(5, now(), BODY), { code: 'invalid_option' })
})

for (const body of ['{"a":"\\ud800"}', '{"a":1,"a":2}', ' null ', '"text"', '', '1e400', `${'['.repeat(500)}${']'.repeat(500)}`]) {
  test(`what is parsed is what JSON.parse gives: ${body.slice(0, 20)}`, () => {
    const sent = headers(body)
    for (const payload of [body, Buffer.from(body)]) assert.deepEqual(new Webhook(SECRET).verify(payload, sent), new StandardWebhook(SECRET).verify(payload, sent))
  })
}

for (const body of ['not JSON', 'a=1', '[1,', '\ufeff{}', 'NaN']) {
  test(`a signed body that is no JSON is a SyntaxError, like theirs: ${body}`, () => {
    const sent = headers(body)
    for (const payload of [body, Buffer.from(body)]) {
      assert.throws(() => new StandardWebhook(SECRET).verify(payload, sent), SyntaxError)
      assert.throws(
        () => new Webhook(SECRET).verify(payload, sent),
        (error) => error instanceof SyntaxError && error instanceof BodyNotJsonError && error.code === 'body_not_json' && !error.message.includes(body),
      )
      assert.equal(new Webhook(SECRET).verify(payload, sent, { jsonParse: false }), undefined)
    }
  })
}

const without = (part, sent) => Object.fromEntries(Object.entries(sent).filter(([name]) => !name.endsWith(part)))
const changed = (part, change, sent) => Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, name.endsWith(part) ? change(value) : value]))
const refused = {
  'no id': (sent) => without('-id', sent),
  'no time': (sent) => without('-timestamp', sent),
  'no signature': (sent) => without('-signature', sent),
  'an undefined id': (sent) => changed('-id', () => undefined, sent),
  'a time that is none': (sent) => changed('-timestamp', () => 'hello', sent),
  'another signature': (sent) => changed('-signature', () => 'v1,dawfeoifkpqwoekfpqoekf', sent),
  'a part of it': (sent) => changed('-signature', (text) => text.slice(0, 8), sent),
  'an empty one': (sent) => changed('-signature', () => 'v1,', sent),
}
for (const names of ['svix', 'webhook']) {
  for (const [what, change] of Object.entries(refused)) {
    test(`refuses what their tests refuse: ${names}, ${what}`, () => {
      assert.throws(() => new Webhook(SECRET).verify(BODY, change(headers(BODY, { names }))), WebhookVerificationError)
    })
  }

  test(`accepts what their tests accept: ${names}`, () => {
    const sent = headers(BODY, { names })
    const wrong = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
    const several = changed('-signature', (right) => [wrong, wrong.replace('v1', 'v2'), right, wrong].join(' '), sent)
    for (const shape of [sent, several, changed('-timestamp', Number, sent), { ...sent, other: undefined }]) {
      assert.deepEqual(new Webhook(SECRET).verify(BODY, shape), JSON.parse(BODY))
    }
    for (const offset of [-301_500, 302_000]) {
      assert.throws(() => new Webhook(SECRET).verify(BODY, headers(BODY, { at: now(offset), names })), WebhookVerificationError)
    }
  })
}

test('an empty secret is an error, whatever the format', () => {
  for (const secret of ['', undefined, null, 'whsec_', []]) assert.throws(() => new Webhook(secret), Error)
  for (const secret of ['', undefined, null, new Uint8Array(), []]) assert.throws(() => new Webhook(secret, { format: 'raw' }), Error)
  assert.throws(() => new Webhook(Buffer.from(KEY)), Error, 'bytes are a raw key only where that is said')
  assert.throws(() => new Webhook('a raw key of characters \u0100', { format: 'raw' }), { code: 'secret_invalid' })
  assert.throws(() => new Webhook(SECRET, { format: 'base64' }), { code: 'invalid_option' })
})

test('a verifier of one’s own can throw the error like theirs', () => {
  const [ours, other] = [new WebhookVerificationError('not this one'), new StandardError('not this one')]
  assert.deepEqual([ours.message, ours.name, ours instanceof Error], [other.message, other.name, true])
  assert.equal(ours.code, 'verifier_error')
})

test('the cause is looked for each time when asked, and five times a second otherwise', () => {
  const webhook = new Webhook(SECRET)
  const sent = headers(BODY)
  const cause = (options) => {
    try {
      return webhook.verify(`${BODY}\n`, sent, options)
    } catch (error) {
      return error.diagnosis?.finding
    }
  }
  const request = { provider: 'svix', secret: SECRET, body: `${BODY}\n`, headers: sent }
  const causes = []
  for (let i = 0; i < 50; i++) causes.push(cause({ diagnose: true }), verify({ ...request, diagnose: true }).diagnosis?.finding)
  // A busy machine may take the 5 ms of some away; the limit would leave five or ten.
  assert.ok(causes.filter((one) => one === 'body_trailing_newline').length >= 40, causes.join())
  const begun = performance.now()
  let diagnosed = 0
  for (let i = 0; i < 4000; i++) diagnosed += (i % 2 ? cause() : verify(request).diagnosis) ? 1 : 0
  assert.ok(diagnosed <= 5 * ((performance.now() - begun) / 1000 + 2), String(diagnosed))
})
