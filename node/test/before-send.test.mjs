// `beforeSend`: what it changes is what is sent, what it keeps back is counted, and it costs no handler and no end of a process.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flush, init, shutdown, stats } from 'surehook'
import { clerkEndpoint, handled, keptLog } from './support/deliveries.mjs'
import { heldUp } from './support/exit-time.mjs'
import { run } from './support/package.mjs'
import { startRecorder } from './support/recorder.mjs'
import { blackHole } from './support/server.mjs'

const PROGRAM = fileURLToPath(new URL('programs/before-send.mjs', import.meta.url))
const { lines, logger } = keptLog()
const endpoint = clerkEndpoint({ name: 'screened' })

after(() => shutdown(0))

async function withFunction(t, beforeSend, events = 3) {
  const recorder = await startRecorder(t)
  init({ apiKey: 'shk_test', endpoint: recorder.url, logger, beforeSend })
  lines.length = 0
  const before = stats()
  for (let i = 0; i < events; i++) handled(endpoint)
  assert.equal(await flush(), true)
  const { recorded, stored, summarised, queued, dropped } = stats()
  assert.equal(recorded, stored + summarised + queued + Object.values(dropped).reduce((sum, count) => sum + count, 0))
  return { attempts: recorder.attempts, kept: (dropped.before_send ?? 0) - (before.dropped.before_send ?? 0), stored: stored - before.stored }
}

test('it sees the record as it is sent, after redaction, and its changes are what is sent', async (t) => {
  const seen = []
  const { attempts, kept } = await withFunction(t, (attempt) => {
    seen.push(JSON.parse(JSON.stringify(attempt)))
    attempt.metadata = { region: 'eu' }
    delete attempt.entity_id
    return { ...attempt, id: '00000000-0000-7000-8000-000000000000' }
  })
  assert.equal(kept, 0)
  assert.deepEqual(attempts, seen.map(({ entity_id: _gone, ...attempt }) => ({ ...attempt, metadata: { region: 'eu' } })))
  assert.ok(seen.every(({ entity_id, outcome, steps }) => entity_id.startsWith('user_') && outcome === 'processed' && steps === undefined))
  assert.deepEqual(lines, [])
})

test('null keeps an attempt back, and it is counted', async (t) => {
  let seen = 0
  const { attempts, kept } = await withFunction(t, (attempt) => (seen++ === 1 ? null : attempt))
  assert.deepEqual([attempts.length, kept], [2, 1])
  assert.deepEqual(lines, [])
})

const hostile = { get outcome() { throw new Error('no') }, toJSON() { throw new Error('no') } }
for (const [what, beforeSend, said] of [
  ['throws', () => { throw new TypeError('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD is wrong') }, /beforeSend threw TypeError: \[redacted\] is wrong/],
  ['answers with a promise', async (attempt) => attempt, /at once, not a promise/],
  ['answers with a promise that is rejected', async () => { throw new Error('late') }, /at once, not a promise/],
  ['answers with nothing', () => undefined, /not undefined/],
  ['answers with text', () => 'whsec_', /not this text/],
  ['answers with a list', (attempt) => [attempt], /not a list/],
  ['takes away what an attempt must have', ({ outcome: _gone, ...rest }) => rest, /is no attempt \(missing field `outcome`\)/],
  ['makes an outcome up', (attempt) => ({ ...attempt, outcome: 'whsec_C2FVsBQIhrscChlQIMV' }), /is no attempt/],
  ['answers with what cannot be written', () => hostile, /beforeSend threw Error: no/],
  ['answers with a circle', (attempt) => ({ ...attempt, metadata: { attempt: (attempt.metadata = { attempt }) } }), /beforeSend threw TypeError/],
]) {
  test(`a function that ${what}: nothing is sent, all is counted, and it is said once`, async (t) => {
    const { attempts, kept } = await withFunction(t, beforeSend)
    assert.deepEqual([attempts.length, kept], [0, 3])
    assert.equal(lines.length, 1, lines.join('\n'))
    assert.match(lines[0], said)
    assert.doesNotMatch(lines[0], /C2FVsBQIhrscChlQIMV/)
  })
}

test('another function takes over, and what was recorded before is judged by the one of before', async (t) => {
  const [first, second] = [await startRecorder(t), await startRecorder(t)]
  const marked = (mark) => (attempt) => ({ ...attempt, metadata: { mark } })
  init({ apiKey: 'shk_test', endpoint: first.url, logger, beforeSend: marked('first') })
  handled(endpoint)
  init({ apiKey: 'shk_test', endpoint: second.url, logger, beforeSend: marked('second') })
  handled(endpoint)
  await flush()
  init({ apiKey: 'shk_test', endpoint: second.url, logger })
  handled(endpoint)
  await flush()
  assert.deepEqual(first.attempts.map(({ metadata }) => metadata), [{ mark: 'first' }])
  assert.deepEqual(second.attempts.map(({ metadata }) => metadata), [{ mark: 'second' }, undefined])
})

test('settings that cannot be used leave the function of before', async (t) => {
  const recorder = await startRecorder(t)
  const settings = { apiKey: 'shk_test', endpoint: recorder.url, logger }
  init({ ...settings, beforeSend: (attempt) => ({ ...attempt, metadata: { kept: true } }) })
  assert.throws(() => init({ ...settings, endpoint: 'no URL', beforeSend: () => null }), { code: 'invalid_option' })
  assert.throws(() => init({ ...settings, beforeSend: 'no function' }), { code: 'invalid_option', message: /beforeSend/ })
  handled(endpoint)
  await flush()
  assert.deepEqual(recorder.attempts.map(({ metadata }) => metadata), [{ kept: true }])
})

const program = (mode, env) => run('.', process.execPath, [PROGRAM], { ...env, MODE: mode })

for (const [mode, code] of [['normally', 0], ['process.exit', 0], ['throw', 1]]) {
  test(`a process that ends by ${mode} has 1,000 of 1,000 events judged and sent`, async (t) => {
    const recorder = await startRecorder(t)
    const ended = await program(mode, recorder.env)
    assert.equal(ended.code, code, ended.output)
    assert.equal(recorder.attempts.length, 1000, ended.output)
    assert.ok(recorder.attempts.every(({ metadata }) => metadata.thread === 0))
  })
}

test('a function is called on the thread of its own environment only, and one that is gone does not keep others waiting', async (t) => {
  const recorder = await startRecorder(t)
  const ended = await program('threads', recorder.env)
  assert.equal(ended.code, 0, ended.output)
  assert.equal(recorder.attempts.length, 1000 * 4, ended.output)
  assert.doesNotMatch(ended.output, /judged twice/)
  assert.ok(recorder.attempts.every(({ metadata }) => metadata.thread >= 0))
})

for (const mode of ['after a worker', 'past a blocked worker']) {
  test(`${mode} that had a function of its own, the main thread's is asked`, async (t) => {
    const recorder = await startRecorder(t)
    const ended = await program(mode, recorder.env)
    assert.equal(ended.code, 0, ended.output)
    assert.deepEqual([recorder.attempts.length, recorder.attempts.every(({ metadata }) => metadata.thread === 0)], [1000, true], ended.output)
  })
}

test('a collector that says nothing holds the end up for 2 s at most, with a function too', async (t) => {
  const hole = await blackHole()
  t.after(() => hole.close())
  const milliseconds = await heldUp(2100, () => program('normally', { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: hole.url }))
  assert.ok(milliseconds >= 1900 && milliseconds <= 2100, `${milliseconds} ms`)
})

test('waiting for events keeps no process alive', async (t) => {
  const recorder = await startRecorder(t)
  const started = performance.now()
  const ended = await program('idle', recorder.env)
  assert.equal(ended.code, 0, ended.output)
  assert.ok(performance.now() - started < 5000)
})
