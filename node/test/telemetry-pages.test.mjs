// The JavaScript of the pages about telemetry, run as it stands, and what the pages promise of it.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import express from 'express'
import * as surehook from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring } from 'surehook/nextjs'
import * as serverless from 'surehook/serverless'
import * as testing from 'surehook/testing'
import { clerkEndpoint, handled } from './support/deliveries.mjs'
import { DOCS, snippets } from './support/package.mjs'
import { startRecorder } from './support/recorder.mjs'
import { serve, until } from './support/server.mjs'
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
  const route = async () => { handled(clerkEndpoint()); return new Response('ok') }
  // sigterm.test.mjs runs the third in a process that it may end.
  const [start, numbers, _stop, platforms, ...more] = blocks('telemetry.md', { ...inSpool, ...serverless, route })
  assert.equal(more.length, 0)

  start()
  handled(clerkEndpoint({ name: 'internal' }))
  handled(clerkEndpoint({ name: 'public' }))
  assert.ok(readdirSync(spool).length > 0)
  assert.equal(await surehook.flush(), true)
  assert.deepEqual(recorder.attempts.map(({ endpoint, entity_id }) => [endpoint, entity_id]), [['public', undefined]])
  assert.deepEqual(numbers(['recorded', 'stored', 'queued', 'dropped']), { recorded: 2, stored: 1, queued: 0, dropped: { before_send: 1 } })

  const { handler, handle } = platforms(['handler', 'handle'])
  const before = recorder.attempts.length
  assert.deepEqual(await handler({}, { getRemainingTimeInMillis: () => 3000 }), { statusCode: 200 })
  const promises = []
  assert.equal((await handle(null, { waitUntil: (promise) => promises.push(promise) })).status, 200)
  await promises[0]
  assert.equal(recorder.attempts.length, before + 1)
})

test('silent-drops.md: the application marks its work, here and later', async (t) => {
  process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
  const captured = testing.capture()
  t.after(() => captured.stop())
  const page = snippets(readFileSync(join(DOCS, 'silent-drops.md'), 'utf8'), 'js').join('\n').replace(/^import .*$/gm, '')
  const { init: _init, ...rest } = surehook
  const given = { ...rest, init: () => {}, express, withWebhookMonitoring: guardExpress }
  const app = new Function(...Object.keys(given), `${page}\nreturn app`)(...Object.values(given))
  const server = await serve(app)
  t.after(() => server.close())
  const send = async (path, type, data) => {
    captured.clear()
    const { headers, body } = testing.signed('clerk', { type, data: { id: 'user_1', ...data } }, { secret: SECRET })
    assert.equal((await server.post(path, body, headers)).status, 200)
  }
  const told = () => captured.attempts.map(({ outcome, missing_steps, metadata }) => [outcome, missing_steps, metadata])
  for (const [type, data, expected] of [
    ['user.created', { email_addresses: [{}] }, ['processed', undefined, undefined]],
    ['user.created', {}, ['silent_drop', ['send_welcome'], undefined]],
    ['user.created', { banned: true }, ['failed', undefined, { user: 'user_1' }]],
    ['session.created', {}, ['ignored', undefined, undefined]],
  ]) {
    await send('/api/webhooks/clerk', type, data)
    assert.deepEqual(told(), [expected])
  }
  await send('/api/webhooks/signup', 'user.created', {})
  await until(() => captured.attempts.length === 2, 'the end of the work')
  assert.deepEqual(told().map(([outcome]) => outcome), ['deferred', 'processed'])
})

test('testing.md: the tests of the page pass', async () => {
  const [page] = snippets(readFileSync(join(DOCS, 'testing.md'), 'utf8'), 'js')
  const own = []
  const given = { assert, test: (name, run) => own.push([name, run]), withWebhookMonitoring, ...testing }
  new Function(...Object.keys(given), page.replace(/^import .*$/gm, ''))(...Object.values(given))
  assert.equal(own.length, 2)
  for (const [, run] of own) await run()
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
