// The spool: what was recorded outlives kill -9 and a collector that is down, and is stored once.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { flush, init, shutdown, stats, SurehookError } from 'surehook'
import { startCollector } from './support/collector.mjs'
import { clerkEndpoint, handled, keptLog } from './support/deliveries.mjs'
import { startRecorder } from './support/recorder.mjs'
import { closedPort } from './support/server.mjs'

const PROGRAM = fileURLToPath(new URL('programs/handle.mjs', import.meta.url))
const { lines, logger } = keptLog()
let collector

before(async () => { collector = await startCollector() })
after(async () => {
  await collector.stop()
  await shutdown(0)
})

function directory(t) {
  const path = mkdtempSync(join(tmpdir(), 'surehook-spool-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs the program with a spool; in the mode `kill -9` until it has handled its events. */
async function run(mode, events, SPOOL, env) {
  const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, ...env, MODE: mode, EVENTS: String(events), SPOOL }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      if (output.includes('waiting')) child.kill('SIGKILL')
    })
  }
  const [code, signal] = await once(child, 'close')
  assert.deepEqual([code, signal], mode === 'kill -9' ? [null, 'SIGKILL'] : [0, null], output)
  return output
}

const segments = (path) => readdirSync(path).filter((name) => name.endsWith('.attempts'))

test('kill -9 while the collector is down: the next process sends all of it, once', async (t) => {
  const path = directory(t)
  const down = { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: `http://127.0.0.1:${await closedPort()}` }
  const earlier = (await collector.totals()).processed
  await run('kill -9', 250, path, down)
  await run('kill -9', 50, path, down)
  const files = segments(path)
  assert.ok(files.length >= 4)
  for (const file of files) assert.equal(statSync(join(path, file)).mode & 0o777, 0o600)
  assert.equal((await collector.totals()).processed, earlier)
  const outputs = await Promise.all([run('normally', 0, path, collector.env), run('normally', 10, path, collector.env)])
  assert.match(outputs.join(''), /attempts that an earlier process left in the spool are sent/)
  await run('normally', 0, path, collector.env)
  assert.equal((await collector.totals()).processed - earlier, 310)
  assert.deepEqual(segments(path), [])
})

test('kill -9 in a handler: the next process tells that it never finished', async (t) => {
  const path = directory(t)
  const recorder = await startRecorder(t)
  await run('kill -9', 3, path, { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: `http://127.0.0.1:${await closedPort()}`, RUNNING: '2' })
  await run('normally', 1, path, recorder.env)
  const told = recorder.attempts.map(({ outcome, failure }) => `${outcome} ${failure?.error.type ?? ''}`).sort()
  assert.deepEqual(told, [...Array(2).fill('failed NeverFinished'), ...Array(4).fill('processed ')])
  assert.deepEqual(readdirSync(path).filter((name) => statSync(join(path, name)).size > 0), [])
})

test('kill -9 while it sends: nothing is lost, and nothing is stored twice', async (t) => {
  const path = directory(t)
  const earlier = (await collector.totals()).processed
  for (let round = 0; round < 3; round++) await run('kill -9', 500, path, collector.env)
  await run('normally', 0, path, collector.env)
  assert.equal((await collector.totals()).processed - earlier, 1500)
})

test('the end of a process waits for 2 s at most, and what is left waits for the next', async (t) => {
  const path = directory(t)
  await run('normally', 20, path, { SUREHOOK_API_KEY: 'shk_test', SUREHOOK_ENDPOINT: `http://127.0.0.1:${await closedPort()}` })
  const recorder = await startRecorder(t)
  await run('normally', 0, path, recorder.env)
  assert.equal(new Set(recorder.attempts.map(({ id }) => id)).size, 20)
})

test('beyond its size the oldest are dropped, and counted', async (t) => {
  const endpoint = clerkEndpoint()
  init({ apiKey: 'shk_test', endpoint: `http://127.0.0.1:${await closedPort()}`, logger, spoolDir: directory(t), spoolMaxAttempts: 250 })
  const before = stats()
  for (let i = 0; i < 1000; i++) handled(endpoint)
  await flush(50)
  const { recorded, stored, queued, dropped } = stats()
  assert.equal(recorded - before.recorded, 1000)
  assert.equal(recorded, stored + queued + Object.values(dropped).reduce((sum, count) => sum + count, 0))
  assert.ok(queued >= 150 && queued <= 350, String(queued))
  assert.equal(dropped.spool_full, 1000 - queued)
})

test('a directory or a size that cannot be used is an error by its name', (t) => {
  const file = join(directory(t), 'file')
  writeFileSync(file, '')
  const refused = (options, said) => assert.throws(() => init({ apiKey: 'shk_test', logger, ...options }), (error) => {
    assert.ok(error instanceof SurehookError && error.code === 'invalid_option' && said.test(error.message), error.message)
    return true
  })
  for (const spoolDir of [file, join(file, 'below'), '/proc/surehook', '', 'a\0b', 7, null]) refused({ spoolDir }, /the option spoolDir /)
  for (const most of [0, -1, 1.5, NaN, Infinity, '7']) {
    refused({ spoolDir: directory(t), spoolMaxAttempts: most }, /the option spoolMaxAttempts /)
    refused({ spoolDir: directory(t), spoolMaxBytes: most }, /the option spoolMaxBytes /)
  }
  for (const caFile of [file, '/nowhere.pem', '', 7]) refused({ caFile }, /the option caFile /)
  for (const endpoint of ['', 'no URL', 'ftp://example.com', '/collector', 7]) refused({ endpoint }, /the option endpoint /)
  assert.deepEqual(lines.filter((line) => line.includes('error')), [])
})
