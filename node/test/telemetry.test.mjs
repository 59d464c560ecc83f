// What is told of bodies, and what becomes of attempts that a collector does not want.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { flush, init, shutdown, stats } from 'surehook'
import { capture } from 'surehook/testing'
import { makeCertificates } from './support/certificates.mjs'
import { startCollector } from './support/collector.mjs'
import { begun, clerkEndpoint, handled, keptLog } from './support/deliveries.mjs'
import { startRecorder } from './support/recorder.mjs'
import { until } from './support/server.mjs'
import { SECRET, svixHeaders } from './support/signing.mjs'
import { wrappers } from './support/wrappers.mjs'

const { lines, logger } = keptLog()
after(() => shutdown(0))

const event = { type: 'user.created', data: { id: 'user_1', email_addresses: [{ email_address: 'zoë@example.com' }], password: 'hunter2', plan: { name: 'pro', card: '4242424242424242' } } }
const { email_addresses: _mail, ...withoutMail } = event.data
const told = (data) => ({ type: 'user.created', data })
const redacted = { ...event.data, password: '[redacted]', plan: { name: 'pro', card: '[redacted]' } }

for (const [what, captureBody, expected] of [
  ['nothing by default', undefined, undefined],
  ['nothing by false', false, undefined],
  ['all by true, without credentials', true, told(redacted)],
  ['all but what is taken out, by a list', ['data.email_addresses', 'data.plan'], told({ id: withoutMail.id, password: '[redacted]' })],
  ['only what is kept', { keep: ['data.id', 'data.plan.name'] }, { data: { id: 'user_1', plan: { name: 'pro' } } }],
  ['what is kept but for what is taken out', { keep: ['data.*'], remove: ['data.email_addresses', 'data.password', 'data.plan'] }, { data: { id: 'user_1' } }],
]) {
  for (const [framework, serve] of Object.entries(wrappers)) {
    test(`${framework}: ${what} of a body is told`, async (t) => {
      const captured = capture()
      t.after(() => captured.stop())
      const send = await serve(t, { provider: 'clerk', signatureSecret: SECRET, captureBody }, () => JSON.stringify({ data: { id: 'user_1', token: 'hunter2' } }))
      const body = JSON.stringify(event)
      assert.equal((await send({ body, headers: { ...svixHeaders(body), 'content-type': 'application/json' } })).status, 200)
      const { bodies } = captured.one()
      assert.deepEqual(bodies && JSON.parse(bodies.request), expected)
      if (captureBody === true) assert.deepEqual(JSON.parse(bodies.response), { data: { id: 'user_1', token: '[redacted]' } })
      captured.clear()
      assert.equal((await send({ body, headers: { 'content-type': 'application/json' } })).status, 401)
      assert.equal(captured.one().bodies, undefined, 'the body of nobody')
    })
  }
}

/** What was counted since the last start: what earlier clients sent still counts. */
let before

function start(options) {
  init(options)
  before = stats()
}

function assertIdentity() {
  const { recorded, stored, summarised, queued, dropped } = stats()
  assert.equal(recorded, stored + summarised + queued + Object.values(dropped).reduce((sum, count) => sum + count, 0))
  const since = (reason) => dropped[reason] - (before.dropped[reason] ?? 0)
  return {
    recorded: recorded - before.recorded, stored: stored - before.stored, queued: queued - before.queued,
    dropped: Object.fromEntries(Object.keys(dropped).filter(since).map((reason) => [reason, since(reason)])),
  }
}

test('a key of another collector: attempts stay queued, it is said once, and no handler is kept waiting', async (t) => {
  const [ours, theirs] = [await startCollector(), await startCollector()]
  t.after(() => Promise.all([ours.stop(), theirs.stop()]))
  start({ apiKey: theirs.env.SUREHOOK_API_KEY, endpoint: ours.env.SUREHOOK_ENDPOINT, logger })
  const endpoint = clerkEndpoint()
  lines.length = 0
  const started = performance.now()
  for (let i = 0; i < 200; i++) handled(endpoint)
  assert.ok(performance.now() - started < 2000)
  for (let i = 0; i < 3; i++) assert.equal(await flush(200), false)
  const { recorded, stored, queued } = assertIdentity()
  assert.deepEqual([recorded, stored, queued], [200, 0, 200])
  assert.equal((await ours.totals()).processed, 0)
  assert.equal(lines.filter((line) => line.includes('API key')).length, 1, lines.join('\n'))
  assert.ok(!lines.join('\n').includes(theirs.env.SUREHOOK_API_KEY))
})

test('a collector that wants nothing for a while gets all of it, once', async (t) => {
  const recorder = await startRecorder(t)
  let refusals = 3
  recorder.answer = () => (refusals-- > 0 ? [429, 503, 500][refusals % 3] : 202)
  start({ apiKey: 'shk_test', endpoint: recorder.url, logger })
  const endpoint = clerkEndpoint()
  for (let i = 0; i < 250; i++) handled(endpoint)
  await until(async () => (await flush(100)) || assertIdentity() && false, 'all of it')
  assert.deepEqual(assertIdentity(), { recorded: 250, stored: 250, queued: 0, dropped: {} })
  assert.equal(new Set(recorder.attempts.map(({ id }) => id)).size, 250)
  assert.equal(recorder.attempts.length, 250)
})

test('a collector with a private authority is believed when its authority is named, and only then', async (t) => {
  const [ours, another] = [makeCertificates(), makeCertificates()]
  const directory = mkdtempSync(join(tmpdir(), 'surehook-authority-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const recorder = await startRecorder(t, undefined, ours)
  for (const [authority, stored] of [[another, false], [ours, true]]) {
    const caFile = join(directory, `${stored}.pem`)
    writeFileSync(caFile, authority.authority)
    start({ apiKey: 'shk_test', endpoint: recorder.url, logger, caFile })
    handled(clerkEndpoint())
    assert.equal(await flush(stored ? 5000 : 500), stored)
    assert.equal(recorder.attempts.length, stored ? 1 : 0)
    await shutdown(0)
  }
})

test('a batch that is refused for good is counted, with the rest of it', async (t) => {
  const recorder = await startRecorder(t, () => 422)
  start({ apiKey: 'shk_test', endpoint: recorder.url, logger })
  const endpoint = clerkEndpoint()
  for (let i = 0; i < 10; i++) handled(endpoint)
  assert.equal(await flush(), true)
  assert.deepEqual(assertIdentity(), { recorded: 10, stored: 0, queued: 0, dropped: { rejected_by_server: 10 } })
})

test('an end that is shut down before it is sent is counted', async (t) => {
  const recorder = await startRecorder(t, () => 503)
  start({ apiKey: 'shk_test', endpoint: recorder.url, logger })
  const endpoint = clerkEndpoint()
  for (let i = 0; i < 10; i++) handled(endpoint)
  assert.equal(await shutdown(50), false)
  assert.deepEqual(assertIdentity(), { recorded: 10, stored: 0, queued: 0, dropped: { shutdown_timeout: 10 } })
})

test('a delivery that nobody ends is told when it is collected, at the latest', async (t) => {
  const captured = capture()
  t.after(() => captured.stop())
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc')
  ;(() => { begun(clerkEndpoint()) })()
  await until(() => { gc(); return captured.attempts.length === 1 }, 'the attempt')
  assert.equal(captured.one().outcome, 'failed')
})
