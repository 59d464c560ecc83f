// A function of the user that verifies in place of the provider's rule, at once or by a promise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, init, SurehookError } from 'surehook'
import { wrappers } from './support/wrappers.mjs'

const log = []
init({ logger: { info: (line) => log.push(line), warn: (line) => log.push(line), error: (line) => log.push(line) } })

const REJECTED = '{"error":"invalid webhook signature"}'
const credential = 'whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5'
const event = (id) => JSON.stringify({ id, type: 'order.paid' })

class Unprintable { get [Symbol.toStringTag]() { throw new RangeError('not ours') } toString() { throw new RangeError('not ours') } }

for (const [framework, serve] of Object.entries(wrappers)) {
  const guarded = (t, signatureVerifier, options = {}, answer = undefined) => serve(t, { provider: 'acme', signatureVerifier, ...options }, answer)

  for (const [what, say] of [['at once', (value) => value], ['by a promise', (value) => Promise.resolve(value)], ['by a thenable', (value) => ({ then: (done) => done(value) })]]) {
    test(`${framework}: true said ${what} accepts, and the body's own id names the message`, async (t) => {
      let runs = 0
      const call = await guarded(t, () => say(true), {}, () => `run ${++runs}`)
      for (const id of ['evt_1', 'evt_1', 'evt_2']) assert.equal((await call({ body: event(id) })).status, 200)
      assert.equal(runs, 2)
    })

    test(`${framework}: a text said ${what} accepts and names the message`, async (t) => {
      let runs = 0
      const call = await guarded(t, (_request, _body, headers) => say(headers['x-name']), {}, () => `run ${++runs}`)
      for (const name of ['one', 'one', 'two']) assert.equal((await call({ headers: { 'X-Name': name }, body: event('evt_1') })).status, 200)
      assert.equal(runs, 2)
    })

    for (const [answer, value, says] of [
      ['false', false, null],
      ['nothing', undefined, 'not undefined'],
      ['null', null, 'not null'],
      ['an empty text', '', 'not an empty text'],
      ['a number', 1, 'not a value of type number'],
      ['an object', { ok: true }, 'not a value of type object'],
    ]) {
      test(`${framework}: ${answer} said ${what} refuses with verifier_error`, async (t) => {
        const call = await guarded(t, () => say(value), {}, () => assert.fail('it must not run'))
        log.length = 0
        const { status, text } = await call({ body: event('evt_3') })
        assert.deepEqual([status, text], [401, REJECTED])
        assert.ok(log.some((line) => line.includes('verifier_error')))
        assert.equal(log.some((line) => line.includes('signatureVerifier')), says !== null)
        if (says) assert.ok(log.some((line) => line.includes(says)), log.join('\n'))
      })
    }
  }

  for (const [what, verifier] of [
    ['throws', () => { throw new TypeError(`no key\nfor ${credential}`) }],
    ['rejects', async () => { throw new TypeError(`no key\nfor ${credential}`) }],
    ['throws what cannot be shown', () => { throw new Unprintable() }],
    ['answers with a getter that throws', () => ({ get then() { throw new Error('no then') } })],
  ]) {
    test(`${framework}: one that ${what} refuses; the log says so in one line without the secret, the sender learns nothing`, async (t) => {
      const call = await guarded(t, verifier, {}, () => assert.fail('it must not run'))
      log.length = 0
      const { status, text } = await call({ body: event('evt_4') })
      assert.deepEqual([status, text], [401, REJECTED])
      assert.equal(log.filter((line) => line.includes('signatureVerifier threw')).length, 1)
      assert.ok(log.every((line) => !line.includes('\n') && !line.includes('Y2FuYXJ5')), log.join('\n'))
    })
  }

  test(`${framework}: it gets the request, the exact bytes and the headers, and not a body over the limit`, async (t) => {
    const seen = []
    const verifier = (request, body, headers) => { seen.push([typeof request.method, Buffer.isBuffer(body), body.toString('latin1'), headers['x-a']]); return true }
    const call = await guarded(t, verifier, { maxBodyBytes: 20 })
    assert.equal((await call({ headers: [['X-A', '1'], ['x-a', '2']], body: Buffer.from([0x7b, 0xff, 0x7d]) })).status, 200)
    assert.equal((await call({ body: 'x'.repeat(21) })).status, 413)
    assert.deepEqual(seen, [['string', true, '{\xff}', '1, 2']])
  })

  test(`${framework}: verification off asks nobody`, async (t) => {
    let asked = 0
    const call = await guarded(t, () => { asked++ }, { verification: 'off' })
    assert.equal((await call({ body: event('evt_5') })).status, 200)
    assert.equal(asked, 0)
  })

  test(`${framework}: a hundred requests that wait for their verdicts do not disturb each other`, async (t) => {
    let waiting = []
    const verifier = (_request, body) => new Promise((resolve) => {
      waiting.push(() => resolve(JSON.parse(body).id.endsWith('0') ? false : JSON.parse(body).id))
      if (waiting.length === 100) for (const go of waiting.reverse()) go()
    })
    const call = await guarded(t, verifier, {}, undefined)
    const statuses = await Promise.all(Array.from({ length: 100 }, async (_, i) => (await call({ body: event(`evt_many_${i}`) })).status))
    assert.deepEqual(statuses, statuses.map((_, i) => (i % 10 === 0 ? 401 : 200)))
  })
}

test('begin is a promise only where a verifier has to be asked', () => {
  const incoming = { method: 'POST', path: '/', headers: [], body: Buffer.from('{}') }
  const asked = new Endpoint({ provider: 'acme', name: 'asked', maxBodyBytes: 10, signatureVerifier: () => true })
  assert.ok(asked.begin(incoming) instanceof Promise)
  assert.equal(asked.begin({ ...incoming, body: Buffer.alloc(11) }).answer.status, 413)
  assert.equal(asked.begin({ ...incoming, body: 'too_large' }).answer.status, 413)
  assert.equal(asked.begin({ ...incoming, body: 'unavailable' }).answer.status, 401)
  assert.equal(new Endpoint({ provider: 'clerk', name: 'not-asked', signatureSecret: credential }).begin(incoming).answer.status, 401)
})

test('an idempotency key takes part: the body that was verified names the message', async () => {
  const seen = []
  const endpoint = new Endpoint({ provider: 'acme', name: 'keyed', signatureVerifier: () => 'named', idempotencyKey: (_request, body) => { seen.push(body.id); return body.id } })
  const begin = (id) => endpoint.begin({ method: 'POST', path: '/', headers: [], body: Buffer.from(event(id)) })
  const { delivery } = await begin('evt_6')
  assert.equal(delivery.messageId, 'named')
  assert.ok((await begin('evt_7')).delivery)
  assert.equal((await begin('evt_6')).answer.kind, 'busy')
  assert.deepEqual(seen, ['evt_6', 'evt_7', 'evt_6'])
})

test('what is no function is refused, and so is a secret that nothing would use', () => {
  for (const signatureVerifier of [null, true, 'true', {}, [() => true]]) {
    assert.throws(() => new Endpoint({ provider: 'acme', signatureVerifier }), (error) => error instanceof SurehookError && error.code === 'invalid_option')
  }
  const both = { provider: 'clerk', signatureSecret: credential, signatureVerifier: () => true }
  assert.throws(() => new Endpoint(both), (error) => error.code === 'invalid_option' && !error.message.includes(credential))
})
