// What a handler says of its work: steps with a duration and an error, failures with values, work that goes on elsewhere.
import assert from 'node:assert/strict'
import { AsyncResource } from 'node:async_hooks'
import { once, EventEmitter, EventEmitterAsyncResource } from 'node:events'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { currentDelivery, deferred, SurehookError } from 'surehook'
import { capture } from 'surehook/testing'
import { answered, begun, clerkEndpoint } from './support/deliveries.mjs'

let captured
before(() => { captured = capture() })
after(() => captured.stop())
afterEach(() => captured.clear())

const endpoint = clerkEndpoint({ steps: { '*': ['profile'] } })

/** Handles one event with `work` and returns its record. */
async function recordOf(work, options) {
  const delivery = begun(endpoint, options)
  await work(delivery)
  answered(delivery)
  return captured.one()
}

test('run gives back what the work gives, at once or later, and records how long it took', async () => {
  const attempt = await recordOf(async (delivery) => {
    assert.equal(delivery.run('profile', () => 7), 7)
    assert.equal(await delivery.run('mail', () => sleep(20, 'sent')), 'sent')
    assert.equal(await delivery.run('lazy', () => ({ then: (resolve) => resolve('thenable') })), 'thenable')
  })
  assert.deepEqual(attempt.steps.map(({ name, error }) => [name, error]), [['profile', undefined], ['mail', undefined], ['lazy', undefined]])
  const [profile, mail] = attempt.steps
  assert.ok(profile.duration_us < 20_000 && mail.duration_us >= 19_000 && mail.at_us >= mail.duration_us, JSON.stringify(attempt.steps))
  assert.equal(attempt.outcome, 'processed')
})

for (const [how, work] of [
  ['throws', () => { throw new TypeError('no such plan: whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD') }],
  ['is rejected', async () => { throw new TypeError('no such plan: whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD') }],
]) {
  test(`a step that ${how} throws on, was not done, and has its error redacted`, async () => {
    const attempt = await recordOf(async (delivery) => {
      await assert.rejects(async () => delivery.run('profile', work), TypeError)
    })
    const [{ name, duration_us, error }] = attempt.steps
    assert.deepEqual([name, error.type, error.message], ['profile', 'TypeError', 'no such plan: [redacted]'])
    assert.ok(duration_us >= 0 && /^[0-9a-f]{16}$/.test(error.fingerprint))
    assert.deepEqual([attempt.outcome, attempt.missing_steps], ['silent_drop', ['profile']])
  })
}

test('a step after the end is not recorded, and still does its work', async () => {
  const delivery = begun(endpoint)
  answered(delivery)
  assert.equal(delivery.run('profile', () => 7), 7)
  assert.equal(captured.one().steps, undefined)
})

const circle = { name: 'round' }
circle.self = circle
const getters = { get bad() { throw new Error('no') }, good: 1 }
const hostile = { toString() { throw new Error('no') }, toJSON() { throw new Error('no') } }
const gone = new Proxy({}, { ownKeys() { throw new Error('no') }, get() { throw new Error('no') } })
const deep = JSON.parse('{"a":'.repeat(5000) + '1' + '}'.repeat(5000))

for (const [what, metadata, told] of [
  ['what JSON can say', { a: 1, b: 'é', c: [true, null, { d: 0.5 }] }, { a: 1, b: 'é', c: [true, null, { d: 0.5 }] }],
  ['a bigint, a symbol, a function, no number', { big: 7n, symbol: Symbol('s'), call: String, no: NaN, far: -Infinity, not: undefined }, { big: '7', symbol: 'Symbol(s)', call: String(String), no: 'NaN', far: '-Infinity', not: 'undefined' }],
  ['a circle', { circle }, { circle: { name: 'round', self: '[circular]' } }],
  ['the same twice, which is no circle', { a: getters.good, list: [[1], [1]] }, { a: 1, list: [[1], [1]] }],
  ['getters that throw', { getters }, { getters: { bad: '[unreadable]', good: 1 } }],
  ['a toJSON that throws', { hostile }, { hostile: '[unreadable]' }],
  ['a proxy that throws', { gone }, { gone: '[unreadable]' }],
  ['a proxy in the place of the object', gone, { value: '[unreadable]' }],
  ['dates and errors', { at: new Date(0), error: new RangeError('far') }, { at: '1970-01-01T00:00:00.000Z', error: 'RangeError: far' }],
  ['half of a surrogate pair', { half: 'a\ud800b', '\udc00': 1 }, { half: 'a\ufffdb', '\ufffd': 1 }],
  ['text', 'plain', { value: 'plain' }],
  ['a list', [1, 2n], { value: [1, '2'] }],
  ['a member named __proto__', JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {"a": 1}}')],
  ['nothing', undefined, undefined],
  ['null', null, undefined],
  ['a credential', { header: 'Bearer shk_0123456789abcdef', password: 'hunter2' }, { header: 'Bearer [redacted]', password: '[redacted]' }],
]) {
  test(`metadata of ${what} never becomes an exception`, async () => {
    const attempt = await recordOf((delivery) => { delivery.failed('no such plan', metadata) })
    assert.deepEqual([attempt.outcome, attempt.failure.reason], ['failed', 'no such plan'])
    assert.deepEqual(attempt.metadata, told)
  })
}

// 2^30 ways lead to the bottom of it, and no circle.
const web = Array.from({ length: 30 }).reduce((below) => ({ left: below, right: below }), { name: 'bottom' })

test('metadata that is deep, long or has no end is cut', { timeout: 20_000 }, async () => {
  for (const metadata of [{ deep }, { web }, { nothing: new Array(10_000_000).fill(null) }, { long: 'x'.repeat(1_000_000) }, Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`member${n}`, n]))]) {
    const attempt = await recordOf((delivery) => { delivery.failed('cut', metadata) })
    assert.ok(JSON.stringify(attempt.metadata).length <= 12_000)
    captured.clear()
  }
})

test('names of 10 kB, 10,000 steps, and names that are none: all bounded, and none costs the handler anything', async () => {
  const attempt = await recordOf((delivery) => {
    delivery.step('x'.repeat(10_000))
    for (const name of [undefined, null, 7n, Symbol('s'), hostile, {}]) {
      delivery.step(name)
      assert.equal(delivery.run(name, () => 1), 1)
    }
    for (let i = 0; i < 10_000; i++) delivery.step(`step ${i}`)
  })
  assert.ok(attempt.steps.length <= 1000, String(attempt.steps.length))
  assert.ok(attempt.steps.every(({ name }) => name.length <= 1000))
  assert.ok(JSON.stringify(attempt).length < 256 * 1024)
})

test('errors that throw when they are looked at are still errors', async () => {
  class Odd extends Error { get message() { throw new Error('no') } get name() { throw new Error('no') } }
  for (const error of [new Odd(), hostile, gone, Object.create(null), Symbol('s'), undefined]) {
    const delivery = begun(endpoint)
    delivery.fail(error)
    assert.equal(captured.one().outcome, 'failed')
    captured.clear()
  }
})

test('work that goes on elsewhere: the token, and what becomes of it in another thread', async () => {
  let token
  const attempt = await recordOf((delivery) => { token = delivery.defer({ deadlineMs: 60_000 }) }, { id: 'msg_deferred' })
  assert.equal(attempt.outcome, 'deferred')
  assert.ok(Math.abs(attempt.deferred_until - attempt.received_at - 60_000_000) < 5_000_000)
  captured.clear()

  const worker = new Worker(`
    const { deferred } = require('surehook')
    const { parentPort, workerData } = require('node:worker_threads')
    const work = deferred(workerData)
    work.step('profile')
    work.run('mail', () => 1)
    work.processed()
    work.failed('too late')
    parentPort.postMessage([work.messageId, work.eventType, work.entityId.slice(0, 5)])`, { eval: true, workerData: token })
  const [[told]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  assert.deepEqual(told, ['msg_deferred', 'user.created', 'user_'])
  const end = captured.one()
  assert.deepEqual([end.continues, end.outcome, end.steps.map(({ name }) => name)], [attempt.id, 'processed', ['profile', 'mail']])
})

for (const [what, work, expected] of [
  ['resolved', async (it) => { it.step('profile'); return 7 }, { result: 7, outcome: 'processed' }],
  ['resolved without its step', async () => 7, { result: 7, outcome: 'silent_drop', missing: ['profile'] }],
  ['rejected', async () => { throw new TypeError('no') }, { error: TypeError, outcome: 'failed' }],
  ['thrown', () => { throw new TypeError('no') }, { error: TypeError, outcome: 'failed' }],
  ['marked before', async (it) => { it.failed('no such plan', { plan: 7n }) }, { result: undefined, outcome: 'failed', metadata: { plan: '7' } }],
]) {
  test(`deferred work that is ${what}`, async () => {
    let token
    await recordOf((delivery) => { token = delivery.defer({ deadlineMs: 1000 }) })
    captured.clear()
    const it = deferred(token)
    const result = it.process(() => work(it))
    if (expected.error) await assert.rejects(result, expected.error)
    else assert.equal(await result, expected.result)
    const { outcome, missing_steps, metadata } = captured.one()
    assert.deepEqual([outcome, missing_steps, metadata], [expected.outcome, expected.missing ?? (expected.outcome === 'failed' ? missing_steps : undefined), expected.metadata])
  })
}

test('a deadline or a token that is none is an error by its name', () => {
  const delivery = begun(endpoint)
  for (const options of [undefined, null, {}, { deadlineMs: '1' }, { deadlineMs: 0 }, { deadlineMs: -1 }, { deadlineMs: NaN }, { deadlineMs: Infinity }, { deadlineMs: 999 }, { deadlineMs: 7 * 24 * 3600_000 + 1 }]) {
    assert.throws(() => delivery.defer(options), (error) => error instanceof SurehookError && error.code === 'invalid_option' && /deadlineMs|options/.test(error.message), JSON.stringify(options))
  }
  answered(delivery)
  assert.throws(() => delivery.defer({ deadlineMs: 1000 }), { code: 'invalid_option', message: /before the handler answers/ })
  for (const token of [undefined, null, 7, {}, '', 'x', 'x'.repeat(1_000_000), 'eyJhbGciOiJIUzI1NiJ9.e30.x']) {
    assert.throws(() => deferred(token), { name: 'SurehookError', code: 'invalid_option' }, String(token).slice(0, 20))
  }
})

test('the delivery is reached from code deep below: timers, promises, callbacks, events that are bound in the handler', async () => {
  const reached = {}
  const reach = (what) => () => { reached[what] = currentDelivery() }
  const outside = new EventEmitter()
  let emitter
  const delivery = begun(endpoint)
  await delivery.handle(async () => {
    reach('at once')()
    await Promise.resolve().then(reach('a promise'))
    await new Promise((resolve) => { setTimeout(() => { reach('a timer')(); resolve() }, 1) })
    await new Promise((resolve) => { setImmediate(() => { reach('setImmediate')(); resolve() }) })
    await new Promise((resolve) => { process.nextTick(() => { reach('nextTick')(); resolve() }) })
    await promisify((call) => { setTimeout(call, 1) })().then(reach('a callback'))
    for await (const _ of (async function* () { reach('a generator')(); yield 1 })()) reach('a loop')()
    const own = new EventEmitter().on('event', reach('an event of its own'))
    await sleep(1)
    own.emit('event')
    outside.on('event', AsyncResource.bind(reach('a bound listener')))
    outside.on('event', reach('a listener that is not bound'))
    emitter = new EventEmitterAsyncResource({ name: 'Test' })
    emitter.on('event', reach('an emitter that was made in the handler'))
  })
  assert.equal(currentDelivery(), undefined)
  outside.emit('event')
  emitter.emit('event')
  const { 'a listener that is not bound': unbound, ...rest } = reached
  assert.equal(unbound, undefined)
  assert.equal(Object.keys(rest).length, 11)
  for (const [what, found] of Object.entries(rest)) assert.equal(found, delivery, what)
  answered(delivery)
})

test('concurrent deliveries reach each their own', async () => {
  const deliveries = Array.from({ length: 50 }, () => begun(endpoint))
  const found = await Promise.all(deliveries.map((delivery, i) => delivery.handle(async () => {
    await sleep(i % 7)
    return currentDelivery() === delivery
  })))
  assert.ok(found.every(Boolean))
  deliveries.forEach((delivery) => answered(delivery))
})
