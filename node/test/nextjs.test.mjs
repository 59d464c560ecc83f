// The Next.js wrapper as a function of a Request: what a built server cannot be made to do. See next-server.test.mjs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentDelivery, init } from 'surehook'
import { withSurehook, withWebhookMonitoring } from 'surehook/nextjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

const log = []
init({ logger: { info: (line) => log.push(line), warn: (line) => log.push(line), error: (line) => log.push(line) } })

let names = 0
const guard = (handler, options = {}) => withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: `next-${names++}`, ...options }, handler)

const request = (body, headers, init = {}) => new Request('http://localhost/hook?tenant=1', { method: 'POST', body, headers, duplex: 'half', ...init })
const signed = (body = clerkEvent(), id = newId()) => request(body, svixHeaders(body, { id }))

/** A stream that counts how often it was asked for more. */
function counted(chunks, chunk) {
  const state = { pulls: 0, cancelled: false }
  const stream = new ReadableStream({
    pull(controller) {
      state.pulls++
      if (state.pulls > chunks) controller.close()
      else controller.enqueue(chunk)
    },
    cancel() { state.cancelled = true },
  }, { highWaterMark: 0 })
  return { state, stream }
}

test('the handler reads the exact body, as if nobody had, and gets context and delivery', async () => {
  const body = clerkEvent()
  const seen = []
  const POST = guard(async (req, context, delivery) => {
    seen.push(req.url, req.headers.get('svix-id'), await req.clone().text(), await req.json(), context, delivery.eventType, delivery === currentDelivery())
    return Response.json({ ok: true })
  })
  const original = signed(body, 'msg_next')
  assert.deepEqual(await (await POST(original, { params: 1 })).json(), { ok: true })
  assert.deepEqual(seen, [original.url, 'msg_next', body, JSON.parse(body), { params: 1 }, 'user.created', true])
})

test('a request of a class of its own stays one', async () => {
  class OwnRequest extends Request { get own() { return this.headers.get('svix-id') } }
  const body = clerkEvent()
  const POST = guard(async (req) => new Response(`${req instanceof OwnRequest} ${req.own} ${(await req.json()).type}`))
  const response = await POST(new OwnRequest('http://localhost/', { method: 'POST', body, headers: svixHeaders(body, { id: 'msg_own' }) }))
  assert.equal(await response.text(), 'true msg_own user.created')
})

test('a body over the limit is not read to its end', async () => {
  const { state, stream } = counted(1000, new Uint8Array(1024))
  const POST = guard(() => assert.fail('it must not run'), { maxBodyBytes: 10_000 })
  assert.equal((await POST(request(stream, svixHeaders('')))).status, 413)
  assert.ok(state.pulls < 20 && state.cancelled)
  const announced = request('x', { ...svixHeaders('x'), 'content-length': '10001' })
  assert.equal((await POST(announced)).status, 413)
  assert.equal(announced.bodyUsed, false)
})

test('a body that was read before is refused, and the log says so', async () => {
  const used = signed()
  await used.text()
  log.length = 0
  assert.equal((await guard(() => assert.fail('it must not run'))(used)).status, 401)
  assert.ok(log.some((line) => line.includes('body_unavailable')) && log.some((line) => line.includes('before the wrapper')))
})

for (const [what, answer, status, text, type] of [
  ['JSON', () => Response.json({ a: 'ë' }, { status: 201, headers: { 'x-other': '1' } }), 201, '{"a":"ë"}', 'application/json'],
  ['text', () => new Response('plain', { headers: { 'content-type': 'text/x-test' } }), 200, 'plain', 'text/x-test'],
  ['nothing', () => new Response(null, { status: 204 }), 204, '', null],
  ['a stream', () => new Response(counted(3, new TextEncoder().encode('ab')).stream, { headers: { 'content-type': 'text/plain' } }), 200, 'ababab', 'text/plain'],
]) {
  test(`an answer of ${what} and its replay are equal`, async () => {
    let runs = 0
    const POST = guard(() => { runs++; return answer() })
    const body = clerkEvent()
    const id = newId()
    for (const replayed of [null, 'true']) {
      const response = await POST(signed(body, id))
      assert.equal(response.status, status)
      assert.equal(response.headers.get('content-type'), type)
      assert.equal(response.headers.get('idempotent-replayed'), replayed)
      assert.equal(await response.text(), text)
    }
    assert.equal(runs, 1)
  })
}

test('a long stream is passed on while it runs; its replay says that the body is left out', async () => {
  const { state, stream } = counted(100, new Uint8Array(1024).fill(97))
  const POST = guard(() => new Response(stream))
  const body = clerkEvent()
  const id = newId()
  const response = await POST(signed(body, id))
  assert.ok(state.pulls < 70, 'it was not read to its end')
  assert.equal((await response.text()).length, 100 * 1024)
  assert.equal((await POST(signed(body, id))).headers.get('idempotent-replayed'), 'body-omitted')
})

test('an event stream is not waited for', async () => {
  const { state, stream } = counted(3, new TextEncoder().encode('data: x\n\n'))
  const response = await guard(() => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }))(signed())
  assert.equal(state.pulls, 0)
  assert.equal(await response.text(), 'data: x\n\n'.repeat(3))
})

test('what a handler throws is thrown on, and the retry runs it again', async () => {
  let fails = true
  const POST = guard(() => { if (fails) throw new TypeError('no'); return new Response('ok') })
  const body = clerkEvent()
  const id = newId()
  await assert.rejects(POST(signed(body, id)), TypeError)
  fails = false
  assert.equal(await (await POST(signed(body, id))).text(), 'ok')
})

test('an answer that is none is an error of the handler', async () => {
  await assert.rejects(guard(() => undefined)(signed()))
})

test('a sender that goes away ends neither the handler nor its claim: its retry gets the stored answer', async () => {
  const controller = new AbortController()
  const body = clerkEvent()
  const id = newId()
  let runs = 0
  let during
  const POST = guard(async () => {
    runs++
    controller.abort()
    during = (await POST(signed(body, id))).status
    return new Response(String(runs))
  })
  await POST(request(body, svixHeaders(body, { id }), { signal: controller.signal }))
  assert.equal(during, 409)
  const retry = await POST(signed(body, id))
  assert.deepEqual([await retry.text(), retry.headers.get('idempotent-replayed'), runs], ['1', 'true', 1])
})

test('a handler that throws after its sender went away gives the message back', async () => {
  const controller = new AbortController()
  const body = clerkEvent()
  const id = newId()
  const POST = guard(() => {
    controller.abort()
    throw new TypeError('no')
  })
  await assert.rejects(POST(request(body, svixHeaders(body, { id }), { signal: controller.signal })), TypeError)
  await assert.rejects(POST(signed(body, id)), TypeError)
})

test('a silent drop can be made a 500', async () => {
  const POST = guard(() => new Response('ok'), { requireProcessingMark: true, onSilentDrop: 'retry' })
  const response = await POST(signed())
  assert.equal(response.status, 500)
})

test('a route module is loaded without its secret, as builds do, and answers 503 until it is there', async () => {
  const POST = withWebhookMonitoring({ provider: 'clerk' }, () => new Response())
  assert.equal((await POST(signed())).status, 503)
  assert.throws(() => withWebhookMonitoring({ provider: 'clark' }, () => new Response()), { code: 'unknown_provider' })
})

test('withSurehook adds the package once, to an object, a function, or nothing', async () => {
  assert.deepEqual(withSurehook(), { serverExternalPackages: ['surehook'] })
  assert.deepEqual(withSurehook({ a: 1, serverExternalPackages: ['x'] }), { a: 1, serverExternalPackages: ['x', 'surehook'] })
  assert.deepEqual(withSurehook(withSurehook({})), { serverExternalPackages: ['surehook'] })
  assert.deepEqual(await withSurehook(async (phase) => ({ phase }))('build'), { phase: 'build', serverExternalPackages: ['surehook'] })
})
