// What the package takes of its process. SUREHOOK_CALLS=1000000 measures the slope over a million calls; the suite over 50,000.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from './support/package.mjs'
import { startRecorder } from './support/recorder.mjs'
import { closedPort } from './support/server.mjs'

const PROGRAM = fileURLToPath(new URL('programs/limits.mjs', import.meta.url))
const CALLS = process.env.SUREHOOK_CALLS ?? '50000'
/** By then all stores are full, and the allocator nearly at rest. */
const WARM_UP = '150000'
/** In MiB. The allocator's own rest is within it; what leaks an object a call is far beyond. */
const SLOPE = Number(CALLS) >= 1_000_000 ? 1 : 2

/** Runs a measure in a process of its own, whose young heap is small: it would come and go by more than what is looked for. */
async function measure(mode, env) {
  const { code, output } = await run('.', process.execPath, ['--expose-gc', '--max-semi-space-size=1', PROGRAM], { ...env, MODE: mode })
  assert.equal(code, 0, output)
  console.log(`${mode}: ${output.trim()}`)
  return JSON.parse(output)
}

test('no thread before the first event, and at most two after', async (t) => {
  const { before, after } = await measure('threads', (await startRecorder(t)).env)
  assert.deepEqual(before, { ours: [], all: 0 })
  assert.ok(after.ours.length >= 1 && after.ours.length <= 2 && after.all === after.ours.length, JSON.stringify(after))
})

test('telemetry of 10,000 events adds 8 MiB at most', async (t) => {
  const recorder = await startRecorder(t)
  const { mebibytes } = await measure('added memory', { ...recorder.env, DEDUP: 'off' })
  assert.equal(recorder.attempts.length, 10_000)
  assert.ok(mebibytes <= 8, `${mebibytes} MiB`)
})

test(`${CALLS} events take no more memory in their second half, with a collector that is down`, { timeout: 900_000 }, async () => {
  const env = { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: `http://127.0.0.1:${await closedPort()}` }
  const { mebibytes } = await measure('slope', { ...env, DEDUP: 'off', WARM_UP, COUNT: CALLS })
  assert.ok(mebibytes <= SLOPE, `${mebibytes} MiB`)
})

test('10,000 times init and shutdown leave no thread and no descriptor', { timeout: 120_000 }, async (t) => {
  const { before, after } = await measure('cycles', { ...(await startRecorder(t)).env, COUNT: '10000' })
  assert.ok(after.threads <= before.threads && after.descriptors <= before.descriptors, JSON.stringify({ before, after }))
  assert.ok(after.memory - before.memory < 16, JSON.stringify({ before, after }))
})
