// The spans of deliveries, with the real SDK of OpenTelemetry, on every framework.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import express from 'express'
import fastify from 'fastify'
import { init } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { answered, begun, clerkEndpoint, incoming, keptLog } from './support/deliveries.mjs'
import { serve } from './support/server.mjs'
import { clerkEvent, newId, OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'
import { exporter, serverSpan, setUpTraces, tracer } from './support/traces.mjs'

init({ logger: keptLog().logger })
setUpTraces()
afterEach(() => exporter.reset())

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const traceparent = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }
const body = clerkEvent()

const spans = () => exporter.getFinishedSpans()
const named = (name) => spans().filter((span) => span.name === name)
function one(name) {
  const found = named(name)
  assert.equal(found.length, 1, `${name}: ${spans().map((span) => span.name)}`)
  return found[0]
}
const parentOf = (span) => span.parentSpanContext?.spanId

/** The work of a handler, which makes a span of its own after a while. */
async function work(fails) {
  await sleep(1)
  await tracer.startActiveSpan('work', async (span) => {
    await sleep(1)
    span.end()
  })
  if (fails) throw new TypeError('no')
}

/** A guarded route below the span of a server: a function that sends it a request. `fails` makes its handler throw. */
const applications = {
  async express(t, options, fails) {
    const app = express()
    app.use((_req, res, next) => { const { end } = serverSpan(next); res.once('close', end) })
    app.post('/hook', guardExpress(options, async (_req, res) => { await work(fails); res.end() }))
    app.use((_error, _req, res, _next) => res.status(500).end())
    const server = await serve(app)
    t.after(() => server.close())
    return async (headers) => (await server.post('/hook', body, headers)).status
  },
  async fastify(t, options, fails) {
    const app = fastify()
    app.addHook('onRequest', (_request, reply, done) => { const { end } = serverSpan(done); reply.raw.once('close', end) })
    app.post('/hook', guardFastify(options), async () => { await work(fails); return {} })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    const url = `http://127.0.0.1:${app.server.address().port}/hook`
    return async (headers) => (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })).status
  },
  async nextjs(_t, options, fails) {
    const POST = guardNext(options, async () => { await work(fails); return new Response() })
    return async (headers) => {
      const request = new Request('http://localhost/hook', { method: 'POST', body, headers })
      return serverSpan(() => POST(request, {})).handled.then(({ status }) => status, () => 500)
    }
  },
}

let names = 0
for (const [framework, build] of Object.entries(applications)) {
  const served = (t, options = {}, fails = false) => build(t, { provider: 'clerk', signatureSecret: SECRET, name: `${framework}-${names++}`, ...options }, fails)
  const server = () => spans().find(({ name }) => name === 'POST /hook')
  const serverEnded = async () => { while (!server()) await sleep(1) }

  test(`${framework}: a CONSUMER span below the server's, above the handler's own, linked to the sender`, async (t) => {
    const send = await served(t, { name: `traced-${framework}` })
    const id = newId()
    assert.equal(await send({ ...svixHeaders(body, { id }), ...traceparent }), 200)
    await serverEnded()
    const span = one('process clerk')
    assert.equal(span.kind, SpanKind.CONSUMER)
    assert.equal(parentOf(span), server().spanContext().spanId)
    assert.equal(parentOf(one('work')), span.spanContext().spanId)
    assert.deepEqual(span.links.map(({ context: { traceId, spanId } }) => [traceId, spanId]), [[TRACE, 'b7ad6b7169203331']])
    assert.notEqual(span.spanContext().traceId, TRACE)
    assert.deepEqual(span.attributes, {
      'messaging.system': 'webhook',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': `traced-${framework}`,
      'messaging.message.id': id,
      'messaging.message.body.size': Buffer.byteLength(body),
      'cloudevents.event_id': id,
      'cloudevents.event_source': 'clerk',
      'cloudevents.event_type': 'user.created',
      'surehook.provider': 'clerk',
      'surehook.event_type': 'user.created',
      'surehook.verification.result': 'verified',
      'surehook.dedup.result': 'new',
      'surehook.outcome': 'processed',
    })
    assert.equal(span.status.code, SpanStatusCode.UNSET)
  })

  test(`${framework}: a handler that throws, a refused request, a replay, a silent drop`, async (t) => {
    const outcomeOf = () => {
      const { attributes, status, ended } = one('process clerk')
      assert.ok(ended)
      exporter.reset()
      return [attributes['surehook.outcome'], attributes['error.type'], status.code]
    }
    const { ERROR, UNSET } = SpanStatusCode
    const failing = await served(t, {}, true)
    assert.equal(await failing(svixHeaders(body)), 500)
    assert.deepEqual(outcomeOf(), ['failed', 'TypeError', ERROR])
    const send = await served(t)
    assert.equal(await send({ ...svixHeaders(body, { secret: OTHER_SECRET }), ...traceparent }), 401)
    const { attributes } = one('process clerk')
    assert.deepEqual([attributes['surehook.verification.code'], attributes['messaging.message.id']], ['signature_mismatch', undefined])
    assert.deepEqual(outcomeOf(), ['rejected', 'signature_mismatch', ERROR])
    const headers = svixHeaders(body)
    await send(headers)
    assert.deepEqual(outcomeOf(), ['processed', undefined, UNSET])
    await send(headers)
    assert.deepEqual(outcomeOf(), ['duplicate', undefined, UNSET])
    const dropping = await served(t, { requireProcessingMark: true })
    await dropping(svixHeaders(body))
    assert.deepEqual(outcomeOf(), ['silent_drop', 'silent_drop', ERROR])
  })

  test(`${framework}: the sender's trace is continued by "parent", and there is nothing by "off"`, async (t) => {
    const send = await served(t, { tracing: 'parent' })
    await send({ ...svixHeaders(body), ...traceparent })
    const span = one('process clerk')
    assert.deepEqual([span.spanContext().traceId, parentOf(span), span.links], [TRACE, 'b7ad6b7169203331', []])
    await serverEnded()
    exporter.reset()
    await send(svixHeaders(body))
    await serverEnded()
    assert.equal(parentOf(one('process clerk')), server().spanContext().spanId)
    exporter.reset()
    const silent = await served(t, { tracing: 'off' })
    assert.equal(await silent({ ...svixHeaders(body), ...traceparent }), 200)
    await serverEnded()
    assert.deepEqual(named('process clerk'), [])
    assert.equal(parentOf(one('work')), server().spanContext().spanId)
  })
}

test('a traceparent that is none is no link, and costs nothing', () => {
  const endpoint = clerkEndpoint()
  for (const header of ['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'y'.repeat(10_000)]) {
    answered(begun(endpoint, { headers: { traceparent: header } }))
    assert.deepEqual(one('process clerk').links, [])
    exporter.reset()
  }
})

test('the span ends with the first end of the delivery, and with what it came to', () => {
  const endpoint = clerkEndpoint({ steps: { '*': ['profile'] } })
  for (const [end, outcome] of [
    [(it) => it.cancel(), 'failed'],
    [(it) => it.fail(new RangeError('far')), 'failed'],
    [(it) => { it.failed('no'); answered(it) }, 'failed'],
    [(it) => answered(it, 500), 'failed'],
    [(it) => { it.defer({ deadlineMs: 1000 }); answered(it) }, 'deferred'],
  ]) {
    const delivery = begun(endpoint)
    end(delivery)
    answered(delivery)
    delivery.fail(new Error('later'))
    assert.equal(one('process clerk').attributes['surehook.outcome'], outcome)
    exporter.reset()
  }
})

test('what the application\'s tracer throws reaches nobody', async (t) => {
  const throws = () => { throw new Error('the tracer') }
  const broken = new Proxy({}, { get: () => throws })
  const real = trace.getTracerProvider()
  t.after(() => trace.setGlobalTracerProvider(real))
  for (const startSpan of [throws, () => broken, () => new Proxy({}, { get: (_, name) => (name === 'spanContext' ? () => ({}) : throws) })]) {
    trace.disable()
    trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) })
    const endpoint = clerkEndpoint()
    const delivery = begun(endpoint)
    assert.equal(await delivery.handle(async () => { delivery.step('a'); return 7 }), 7)
    assert.throws(() => delivery.handle(() => { throw new TypeError('mine') }), { message: 'mine' })
    assert.equal(answered(delivery), null)
    const { answer } = endpoint.begin({ ...incoming(), headers: [] }, null)
    assert.equal(answer.status, 401)
  }
})

test('a context manager that throws runs the handler once, in either case', (t) => {
  const real = context.with
  t.after(() => { context.with = real })
  for (const broken of [() => { throw new Error('before') }, (_context, call) => { call(); throw new Error('after') }]) {
    Object.defineProperty(context, 'with', { value: broken, configurable: true, writable: true })
    let runs = 0
    const delivery = begun(clerkEndpoint())
    assert.equal(delivery.handle(() => ++runs), 1)
    assert.throws(() => delivery.handle(() => { runs++; throw new TypeError('mine') }), { message: 'mine' })
    assert.equal(runs, 2)
    answered(delivery)
  }
})
