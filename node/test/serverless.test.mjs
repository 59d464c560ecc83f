// The helpers for platforms that freeze a process between two requests.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { beforeEach, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { init, stats } from 'surehook'
import { withWebhookMonitoring } from 'surehook/nextjs'
import { flushAfter, withFlush } from 'surehook/serverless'
import { clerkEndpoint, handled, keptLog } from './support/deliveries.mjs'
import { startRecorder } from './support/recorder.mjs'
import { blackHole } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { wrappers } from './support/wrappers.mjs'

const { logger } = keptLog()
const endpoint = clerkEndpoint()
let recorder

beforeEach(async (t) => {
  recorder = await startRecorder(t)
  init({ apiKey: 'shk_test', endpoint: recorder.url, logger })
})

/** As AWS Lambda invokes a handler: an event, a context that knows how much time is left, and only the result counts. */
async function invoke(handler, event = {}, milliseconds = 3000) {
  const deadline = performance.now() + milliseconds
  const context = { awsRequestId: '1', getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())) }
  const started = performance.now()
  const result = await handler(event, context)
  return { result, took: performance.now() - started }
}

/** A Lambda behind a function URL: its event as a request for the guarded route. */
const route = withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: 'lambda' }, () => Response.json({ ok: true }))
const lambda = withFlush(async ({ body, headers }) => {
  const response = await route(new Request('https://example.com/hook', { method: 'POST', body, headers }), {})
  return { statusCode: response.status, body: await response.text() }
})

test('Lambda: what an invocation recorded has arrived when it ends', async () => {
  for (let i = 1; i <= 3; i++) {
    const body = clerkEvent()
    const { result } = await invoke(lambda, { body, headers: svixHeaders(body) })
    assert.deepEqual(result, { statusCode: 200, body: '{"ok":true}' })
    assert.equal(recorder.attempts.length, i)
  }
})

test('Lambda: a handler that throws throws the same, and what it recorded has arrived', async () => {
  for (const handler of [() => { handled(endpoint); throw new TypeError('mine') }, async () => { handled(endpoint); throw new TypeError('mine') }]) {
    await assert.rejects(invoke(withFlush(handler)), { name: 'TypeError', message: 'mine' })
  }
  assert.equal(recorder.attempts.length, 2)
})

test('Lambda: `this` and every argument reach the handler, and any result comes back', async () => {
  const object = { handler: withFlush(function (...args) { return [this === object, ...args] }) }
  assert.deepEqual(await object.handler(1, null, 'three'), [true, 1, null, 'three'])
  assert.equal(await withFlush(() => undefined)(), undefined)
})

for (const [what, options, left, least, most] of [
  ['2 s by default', undefined, 60_000, 1900, 2200],
  ['its option', { timeoutMs: 100 }, 60_000, 90, 400],
  ['what is left of the invocation, less a reserve', undefined, 500, 250, 450],
  ['nothing when no time is left', undefined, 100, 0, 150],
]) {
  test(`Lambda: a collector that says nothing holds an invocation up for ${what}`, async (t) => {
    const hole = await blackHole()
    t.after(() => hole.close())
    // A client of its own is not waited for here: the worker has its own 2 s at its end.
    const worker = new Worker(`
      const { init, shutdown } = require('surehook')
      const { withFlush } = require('surehook/serverless')
      const { parentPort, workerData } = require('node:worker_threads')
      const { url, options, left } = workerData
      init({ apiKey: 'shk_test', endpoint: url, logger: { info() {}, warn() {}, error() {} } })
      ;(async () => {
        const { clerkEndpoint, handled } = await import(${JSON.stringify(new URL('support/deliveries.mjs', import.meta.url).href)})
        const endpoint = clerkEndpoint()
        const handler = withFlush(async () => handled(endpoint) && 7, options)
        const started = performance.now()
        const result = await handler({}, { getRemainingTimeInMillis: () => left })
        parentPort.postMessage([result, performance.now() - started])
        await shutdown(0)
      })()`, { eval: true, workerData: { url: hole.url, options, left } })
    const [[[result, took]]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
    assert.equal(result, 7)
    assert.ok(took >= least && took <= most, `${took} ms`)
  })
}

test('Lambda: a context that throws costs nothing', async () => {
  const handler = withFlush(() => { handled(endpoint); return 7 })
  for (const context of [undefined, null, 7, {}, { getRemainingTimeInMillis: 7 }, { getRemainingTimeInMillis() { throw new Error('no') } }, { getRemainingTimeInMillis: () => 'soon' }]) {
    assert.equal(await handler({}, context), 7)
  }
  assert.equal(recorder.attempts.length, 7)
})

test('waitUntil: the platform gets a promise that is kept when all has arrived, and is never rejected', async () => {
  const promises = []
  handled(endpoint)
  assert.equal(flushAfter((promise) => promises.push(promise)), undefined)
  assert.equal(promises.length, 1)
  assert.equal(recorder.attempts.length, 0, 'the answer does not wait')
  await promises[0]
  assert.equal(recorder.attempts.length, 1)
})

test('waitUntil: one that throws, or is none, costs nothing', () => {
  for (const waitUntil of [() => { throw new Error('outside of a request') }, undefined, 7]) {
    handled(endpoint)
    assert.equal(flushAfter(waitUntil), undefined)
  }
})

test('waitUntil: a flush that is under way for longer does not lengthen a shorter one', async (t) => {
  const hole = await blackHole()
  t.after(() => hole.close())
  init({ apiKey: 'shk_test', endpoint: hole.url, logger })
  handled(endpoint)
  const promises = []
  const started = performance.now()
  for (const timeoutMs of [1500, 100, 50]) flushAfter((promise) => promises.push(promise), { timeoutMs })
  await Promise.all(promises.slice(1))
  const took = performance.now() - started
  assert.ok(took >= 90 && took < 700, `${took} ms`)
  await promises[0]
  assert.ok(performance.now() - started >= 1400)
  assert.equal(stats().queued, 1)
})

for (const [framework, wrap] of Object.entries(wrappers)) {
  test(`${framework}: flushBeforeResponse: whatever is answered, its record has arrived before`, async (t) => {
    const options = { provider: 'clerk', signatureSecret: SECRET, name: `before-${framework}`, flushBeforeResponse: true }
    const call = await wrap(t, options, async () => {
      if (fails) throw new TypeError('no')
      return 'ok'
    })
    let fails = false
    const [body, id] = [clerkEvent(), newId()]
    const headers = { 'content-type': 'application/json', ...svixHeaders(body, { id }) }
    const outcomes = []
    const send = async (own = headers) => {
      await call({ headers: own, body }).catch(() => undefined)
      outcomes.push(recorder.attempts.at(-1)?.outcome)
      assert.equal(recorder.attempts.length, outcomes.length)
    }
    await send()
    await send()
    await send({ ...headers, 'svix-timestamp': '1' })
    fails = true
    await send({ ...headers, ...svixHeaders(body) })
    assert.deepEqual(outcomes, ['processed', 'duplicate', 'rejected', 'failed'])
  })
}

test('flushBeforeResponse: a collector that says nothing holds an answer up for 2 s at most, and is no error', async (t) => {
  const hole = await blackHole()
  t.after(() => hole.close())
  init({ apiKey: 'shk_test', endpoint: hole.url, logger })
  const began = performance.now()
  const slow = withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: 'hole', flushBeforeResponse: true }, () => new Response('ok'))
  const body = clerkEvent()
  const response = await slow(new Request('https://example.com/hook', { method: 'POST', body, headers: svixHeaders(body) }), {})
  const took = performance.now() - began
  assert.equal(response.status, 200)
  assert.ok(took > 1900 && took < 2600, `${took} ms`)
})
