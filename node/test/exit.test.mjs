// What is recorded right before the end still arrives at the real collector; and an end is never held up for long.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startCollector } from './support/collector.mjs'
import { heldUp } from './support/exit-time.mjs'
import { blackHole, closedPort, until } from './support/server.mjs'

const PROGRAM = fileURLToPath(new URL('programs/handle.mjs', import.meta.url))
let collector

before(async () => { collector = await startCollector() })
after(() => collector.stop())

async function run(mode, env = collector.env, events = 100) {
  const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, ...env, MODE: mode, EVENTS: String(events) }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let handledAt
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (output.includes('handled')) handledAt ??= performance.now()
    if (output.includes('waiting')) child.kill(mode === 'kill -9' ? 'SIGKILL' : 'SIGTERM')
  })
  child.stderr.on('data', (chunk) => { output += chunk })
  const [code] = await once(child, 'exit')
  return { code, output, endedAfter: performance.now() - handledAt }
}

for (const [mode, events, code] of [
  ['normally', 100, 0],
  ['process.exit', 100, 0],
  ['an uncaught error', 100, 1],
  ['an unhandled rejection', 100, 1],
  ['SIGTERM', 100, 0],
  ['shutdown', 100, 0],
  ['from a worker', 200, 0],
  ['from terminated workers', 200, 0],
  ['from a cluster', 300, 0],
  ['from a forked child', 200, 0],
]) {
  test(`ending ${mode}: ${events} of ${events} events are stored`, async () => {
    const earlier = (await collector.totals()).processed
    const result = await run(mode)
    assert.equal(result.code, code, result.output)
    assert.equal((await collector.totals()).processed - earlier, events, result.output)
  })
}

for (const mode of ['normally', 'process.exit', 'an uncaught error', 'SIGTERM']) {
  test(`ending ${mode}: a collector that takes the connection and says nothing holds it up for 2.1 s at most`, async (t) => {
    const hole = await blackHole()
    t.after(() => hole.close())
    const milliseconds = await heldUp(2100, () => run(mode, { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: hole.url }))
    assert.ok(milliseconds >= 1900 && milliseconds <= 2100, `${milliseconds} ms`)
  })
}

test('no collector at all: the program ends well', async () => {
  const { code, endedAfter } = await run('normally', { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: `http://127.0.0.1:${await closedPort()}` })
  assert.equal(code, 0)
  assert.ok(endedAfter < 3000, `${endedAfter} ms`)
})

test('a wrong key is said once, in words, and costs no handler anything', async () => {
  const { code, output } = await run('normally', { ...collector.env, SUREHOOK_API_KEY: 'shk_wrong' })
  assert.equal(code, 0)
  assert.equal(output.match(/API key/gi)?.length, 1, output)
})

test('no key: webhooks are handled, and it is said once that nothing is recorded', async () => {
  const { SUREHOOK_API_KEY: _key, ...env } = collector.env
  const { code, output } = await run('normally', { ...env, SUREHOOK_API_KEY: '' })
  assert.equal(code, 0)
  assert.equal(output.match(/telemetry is off/g)?.length, 1, output)
})

test('an attempt stands in the collector with what was known of it', async () => {
  const [message] = await until(() => collector.messages(), 'a message')
  const [attempt] = await collector.attempts(message.message_id)
  assert.equal(attempt.outcome, 'processed')
  assert.equal(attempt.event_type, 'user.created')
  assert.equal(attempt.status, 200)
})
