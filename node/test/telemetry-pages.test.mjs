// The JavaScript of docs/telemetry.md and docs/opentelemetry.md, run as it stands, and what the pages promise of it.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import * as surehook from 'surehook'
import { withWebhookMonitoring } from 'surehook/nextjs'
import * as serverless from 'surehook/serverless'
import * as testing from 'surehook/testing'
import { answered, begun, clerkEndpoint, handled } from './support/deliveries.mjs'
import { DOCS, snippets } from './support/package.mjs'
import { startRecorder } from './support/recorder.mjs'
import { clerkEvent, SECRET, svixHeaders } from './support/signing.mjs'

after(() => surehook.shutdown(0))

/** The blocks of a page, each as a function of the names that it uses; what `names` says is what they give back. */
function blocks(page, given) {
  return snippets(readFileSync(join(DOCS, page), 'utf8'), 'js').map((text) => {
    const body = text.replace(/^import .*$/gm, '').replace(/^export /gm, '')
    return (names = []) => new Function(...Object.keys(given), `${body}\nreturn { ${names.join(', ')} }`)(...Object.values(given))
  })
}

test('telemetry.md: each block does what the page says', async (t) => {
  const recorder = await startRecorder(t)
  const spool = mkdtempSync(join(tmpdir(), 'surehook-page-'))
  t.after(() => rmSync(spool, { recursive: true, force: true }))
  Object.assign(process.env, recorder.env)
  const inSpool = { ...surehook, init: (options) => surehook.init({ ...options, spoolDir: options.spoolDir.replace('/var/spool/app/surehook', spool) }) }
  const done = []
  const profiles = { create: async (id) => { done.push(id) } }
  const sendWelcome = async (user) => { done.push(`welcome ${user}`) }
  const route = async () => { handled(clerkEndpoint()); return new Response('ok') }
  const [start, numbers, steps, deferral, platforms, tests, ...more] = blocks('telemetry.md', { ...inSpool, ...serverless, ...testing, assert, profiles, sendWelcome, route })
  assert.deepEqual([more.length, tests === undefined], [0, false])

  start()
  handled(clerkEndpoint({ name: 'internal' }))
  handled(clerkEndpoint({ name: 'public' }))
  assert.ok(readdirSync(spool).length > 0)
  assert.equal(await surehook.flush(), true)
  assert.deepEqual(recorder.attempts.map(({ endpoint, entity_id }) => [endpoint, entity_id]), [['public', undefined]])
  assert.deepEqual(numbers(['recorded', 'stored', 'queued', 'dropped']), { recorded: 2, stored: 1, queued: 0, dropped: { before_send: 1 } })

  const captured = testing.capture()
  t.after(() => captured.stop())
  const { createUser } = steps(['createUser'])
  for (const [email_addresses, outcome] of [[['a@example.com'], 'processed'], [[], 'failed']]) {
    const delivery = begun(clerkEndpoint({ steps: { '*': ['create_profile'] } }))
    await delivery.handle(() => createUser({ id: 'user_1', email_addresses }))
    answered(delivery)
    assert.equal(captured.one().outcome, outcome)
    captured.clear()
  }
  const { enqueue, work } = deferral(['enqueue', 'work'])
  const delivery = begun(clerkEndpoint())
  const jobs = []
  await delivery.handle(() => enqueue({ add: async (name, data) => { jobs.push({ name, data }) } }, 'user_1'))
  answered(delivery)
  await Promise.all(jobs.map(work))
  assert.deepEqual(captured.attempts.map(({ outcome }) => outcome), ['deferred', 'processed'])
  assert.deepEqual(done, ['user_1', 'user_1', 'welcome user_1'])
  captured.stop()

  const { handler, handle } = platforms(['handler', 'handle'])
  const before = recorder.attempts.length
  assert.deepEqual(await handler({}, { getRemainingTimeInMillis: () => 3000 }), { statusCode: 200 })
  const promises = []
  assert.equal((await handle(null, { waitUntil: (promise) => promises.push(promise) })).status, 200)
  await promises[0]
  assert.equal(recorder.attempts.length, before + 1)

  const { testSignUp } = tests(['testSignUp'])
  let runs = 0
  await testSignUp((options) => { const POST = withWebhookMonitoring(options, () => new Response(String(++runs))); return (request) => POST(request, {}) })
  assert.equal(runs, 1)
})

test('opentelemetry.md: the route is a part of the sender\'s trace, and the page names every attribute', async () => {
  const exporter = new InMemorySpanExporter()
  process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
  const given = { withWebhookMonitoring, context, propagation, trace, AsyncLocalStorageContextManager, W3CTraceContextPropagator, BasicTracerProvider, SimpleSpanProcessor, exporter }
  const [route, setUp, ...more] = blocks('opentelemetry.md', given)
  assert.equal(more.length, 0)
  setUp()
  const { POST } = route(['POST'])
  const body = clerkEvent()
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  for (const headers of [svixHeaders(body), {}]) {
    await POST(new Request('http://localhost/', { method: 'POST', body, headers: { ...headers, traceparent: `00-${traceId}-b7ad6b7169203331-01` } }), {})
  }
  const spans = exporter.getFinishedSpans()
  assert.deepEqual(spans.map((span) => [span.name, span.spanContext().traceId]), [['process clerk', traceId], ['process clerk', traceId]])
  const page = readFileSync(join(DOCS, 'opentelemetry.md'), 'utf8')
  const set = new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))
  const named = new Set([...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([a-z_.]+\.[a-z_.]+)`/g)].map(([, name]) => name)))
  assert.deepEqual([...named].sort(), [...set].sort())
})
