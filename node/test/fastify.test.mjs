// The Fastify wrapper on real servers.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { before, test } from 'node:test'
import fastify from 'fastify'
import { currentDelivery, init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/fastify'
import { closedPort, raw } from './support/server.mjs'
import { clerkEvent, newId, OTHER_SECRET, SECRET, standardHeaders, svixHeaders } from './support/signing.mjs'

const log = []
const keep = (line) => log.push(line)

before(async () => {
  init({ apiKey: 'shk_test', endpoint: `http://127.0.0.1:${await closedPort()}`, logger: { info: keep, warn: keep, error: keep } })
})

const REJECTED = '{"error":"invalid webhook signature"}'
let names = 0
const guard = (options = {}) => withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: `fastify-${names++}`, ...options })

/** Serves one application for one test. */
async function serving(t, build, options = {}) {
  const app = fastify({ forceCloseConnections: true, ...options })
  await build(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { port } = app.server.address()
  return {
    port,
    post: (body, headers, path = '/hook') => fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }),
  }
}

const echo = (request, reply) => reply.type('application/vnd.test+json').send(JSON.stringify({ got: request.body, raw: request.rawBody.toString('base64') }))

test('the handler sees what the parser makes of the body, and the exact bytes', async (t) => {
  const server = await serving(t, (app) => { app.post('/hook', guard(), echo) })
  const body = clerkEvent()
  const response = await server.post(body, svixHeaders(body))
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { got: JSON.parse(body), raw: Buffer.from(body).toString('base64') })
  const text = await server.post('hello', { ...svixHeaders('hello'), 'content-type': 'text/plain' })
  assert.equal((await text.json()).got, 'hello')
})

test('other routes are left alone, and a parser of the application is used', async (t) => {
  const server = await serving(t, (app) => {
    app.addContentTypeParser('application/x-test', { parseAs: 'string' }, async (_request, body) => body.toUpperCase())
    app.post('/hook', guard(), echo)
    app.post('/other', async (request) => ({ body: request.body, surehook: request.surehook === undefined }))
  })
  const response = await server.post('abc', { ...svixHeaders('abc'), 'content-type': 'application/x-test' })
  assert.deepEqual(await response.json(), { got: 'ABC', raw: 'YWJj' })
  assert.deepEqual(await (await server.post('{"a":1}', {}, '/other')).json(), { body: { a: 1 }, surehook: true })
})

test('a body that Fastify has no parser for reaches the handler as its bytes, with its headers', async (t) => {
  const server = await serving(t, (app) => { app.post('/hook', guard(), async (request) => ({ same: request.body === request.rawBody, headers: request.headers })) })
  for (const type of ['application/x-www-form-urlencoded', 'application/octet-stream', 'nonsense']) {
    const { same, headers } = await (await server.post('a=1', { ...svixHeaders('a=1'), 'content-type': type })).json()
    assert.deepEqual([same, headers['content-type'], headers['content-length']], [true, type, '3'])
  }
})

test('a retry runs nothing and gets the same bytes', async (t) => {
  let runs = 0
  const server = await serving(t, (app) => { app.post('/hook', guard(), (request, reply) => { runs++; return echo(request, reply) }) })
  const body = clerkEvent()
  const id = newId()
  const first = await server.post(body, svixHeaders(body, { id }))
  const bytes = Buffer.from(await first.arrayBuffer())
  for (const headers of [svixHeaders(body, { id }), standardHeaders(body, { id })]) {
    const retry = await server.post(body, headers)
    assert.deepEqual([retry.status, retry.headers.get('content-type'), retry.headers.get('idempotent-replayed')], [200, first.headers.get('content-type'), 'true'])
    assert.ok(Buffer.from(await retry.arrayBuffer()).equals(bytes))
  }
  assert.equal(runs, 1)
})

for (const [what, answer, status, type] of [
  ['an object', async () => ({ a: 'ë' }), 200, 'application/json; charset=utf-8'],
  ['nothing', async (_request, reply) => reply.code(204).send(), 204, null],
  ['bytes', async (_request, reply) => reply.code(201).send(Buffer.from([0, 255])), 201, 'application/octet-stream'],
]) {
  test(`an answer of ${what} and its replay are equal`, async (t) => {
    const server = await serving(t, (app) => { app.post('/hook', guard(), answer) })
    const body = clerkEvent()
    const headers = svixHeaders(body)
    const [first, retry] = [await server.post(body, headers), await server.post(body, headers)]
    for (const response of [first, retry]) assert.deepEqual([response.status, response.headers.get('content-type')], [status, type])
    assert.equal(retry.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(Buffer.from(await retry.arrayBuffer()), Buffer.from(await first.arrayBuffer()))
  })
}

test('a long answer and a stream are sent whole; their replay says that the body is left out', async (t) => {
  const server = await serving(t, (app) => {
    app.post('/hook', guard(), async (request, reply) => {
      const long = 'x'.repeat(65_537)
      return reply.type('text/plain').send(request.body.type === 'user.created' ? long : new Blob([long]).stream())
    })
  })
  for (const type of ['user.created', 'user.deleted']) {
    const body = clerkEvent(type)
    const headers = svixHeaders(body)
    assert.equal((await (await server.post(body, headers)).text()).length, 65_537)
    const replay = await server.post(body, headers)
    assert.deepEqual([replay.headers.get('idempotent-replayed'), await replay.text()], ['body-omitted', ''])
  }
})

test('200 duplicates at once run the handler once', async (t) => {
  let runs = 0
  let release
  const released = new Promise((resolve) => { release = resolve })
  const server = await serving(t, (app) => { app.post('/hook', guard(), async () => { runs++; await released; return { run: runs } }) })
  const body = clerkEvent()
  const headers = svixHeaders(body)
  let busy = 0
  const responses = await Promise.all(Array.from({ length: 200 }, async () => {
    const response = await server.post(body, headers)
    if (response.status === 409) busy++
    if (busy === 199) release()
    return response
  }))
  assert.equal(runs, 1)
  assert.equal(responses.filter(({ status }) => status === 200).length, 1)
  assert.ok(responses.filter(({ status }) => status === 409).every(({ headers }) => headers.get('retry-after')))
})

test('what a handler throws goes to the error handler, and the retry runs the handler again', async (t) => {
  const seen = []
  let fails = true
  const server = await serving(t, (app) => {
    app.setErrorHandler((error, _request, reply) => { seen.push(error.message); reply.code(503).send('sorry') })
    app.post('/hook', guard(), async () => { if (fails) throw new Error('no such table: users'); return 'ok' })
  })
  const body = clerkEvent()
  const headers = svixHeaders(body)
  assert.equal((await server.post(body, headers)).status, 503)
  assert.deepEqual(seen, ['no such table: users'])
  fails = false
  assert.equal(await (await server.post(body, headers)).text(), 'ok')
})

test('a verified body that its parser refuses is a 400, and not remembered', async (t) => {
  const server = await serving(t, (app) => { app.post('/hook', guard(), () => assert.fail('it must not run')) })
  for (let i = 0; i < 2; i++) {
    const response = await server.post('{"half', svixHeaders('{"half', { id: 'msg_half' }))
    assert.deepEqual([response.status, response.headers.get('idempotent-replayed')], [400, null])
  }
})

test('the delivery is reached from the request and from anywhere in the calls of the handler', async (t) => {
  const ids = []
  const deep = async () => { await null; return currentDelivery() }
  const server = await serving(t, (app) => {
    app.post('/hook', guard(), async (request) => {
      assert.equal(await deep(), request.surehook)
      ids.push(request.surehook.messageId)
      request.surehook.step('create_profile')
      return 'ok'
    })
  })
  const messages = Array.from({ length: 20 }, () => ({ id: newId(), body: clerkEvent() }))
  await Promise.all(messages.map(({ id, body }) => server.post(body, svixHeaders(body, { id }))))
  assert.deepEqual(ids.sort(), messages.map(({ id }) => id).sort())
})

test('a silent drop can be made a 500, with nothing of the handler in it', async (t) => {
  const server = await serving(t, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.header('x-before', 'yes') })
    app.post('/hook', guard({ requireProcessingMark: true, onSilentDrop: 'retry' }), async (_request, reply) => reply.header('x-handler', 'yes').send({ ok: true }))
  })
  const body = clerkEvent()
  const response = await server.post(body, svixHeaders(body))
  assert.deepEqual([response.status, response.headers.get('x-handler'), response.headers.get('x-before')], [500, null, 'yes'])
  assert.match(await response.text(), /not processed/)
})

test('every rejection looks the same, whatever the body is, and is logged with its code', async (t) => {
  const server = await serving(t, (app) => { app.post('/hook', guard(), () => assert.fail('it must not run')) })
  const body = clerkEvent()
  for (const [code, headers, sent = body] of [
    ['signature_mismatch', svixHeaders(body, { secret: OTHER_SECRET })],
    ['missing_header', {}],
    ['timestamp_too_old', svixHeaders(body, { at: new Date(Date.now() - 400_000) })],
    ['signature_mismatch', svixHeaders(body), '{"half'],
    ['signature_mismatch', { ...svixHeaders(body), 'content-type': 'nonsense' }, 'x'],
  ]) {
    log.length = 0
    const response = await server.post(sent, headers)
    assert.deepEqual([response.status, await response.text()], [401, REJECTED], code)
    assert.ok(log.some((line) => line.includes(code)), `${code}: ${log.join('\n')}`)
  }
})

test('a header that comes twice is refused, though Node would join the two', async (t) => {
  const server = await serving(t, (app) => { app.post('/hook', guard(), echo) })
  const body = clerkEvent()
  const lines = Object.entries({ host: 'x', connection: 'close', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...svixHeaders(body) })
  log.length = 0
  const request = ['POST /hook HTTP/1.1', ...lines.map((line) => line.join(': ')), 'svix-id: other', '', body].join('\r\n')
  assert.match(await raw(server.port, Buffer.from(request)), /^HTTP\/1.1 401 [^]*invalid webhook signature/)
  assert.ok(log.some((line) => line.includes('duplicate_header')))
})

test('a body that something else consumed is refused, and the log says what to do', async (t) => {
  const server = await serving(t, (app) => {
    app.addHook('preParsing', async (_request, _reply, payload) => { for await (const _ of payload); return payload })
    app.post('/hook', guard(), () => assert.fail('it must not run'))
  })
  const body = clerkEvent()
  log.length = 0
  assert.equal((await server.post(body, svixHeaders(body))).status, 401)
  assert.ok(log.some((line) => line.includes('body_unavailable')) && log.some((line) => line.includes('preParsing')), log.join('\n'))
})

test("a body over the limit is a 413, announced or not; the limit is the endpoint's, not Fastify's", async (t) => {
  const server = await serving(t, (app) => {
    app.post('/hook', guard({ maxBodyBytes: 1000 }), () => 'ok')
    app.post('/large', guard({ maxBodyBytes: 3_000_000 }), () => 'ok')
  }, { bodyLimit: 100 })
  const body = JSON.stringify('x'.repeat(1000))
  assert.equal((await server.post(body, svixHeaders(body))).status, 413)
  const request = http.request({ port: server.port, path: '/hook', method: 'POST', headers: svixHeaders(body) })
  const answered = once(request, 'response')
  request.write('x'.repeat(600))
  request.write('x'.repeat(600))
  const [response] = await answered
  assert.equal(response.statusCode, 413, 'answered before the sender is done')
  response.resume()
  request.end('x'.repeat(600))
  await once(response, 'end')
  const fits = JSON.stringify('x'.repeat(998))
  assert.equal((await server.post(fits, svixHeaders(fits))).status, 200)
  const large = JSON.stringify('x'.repeat(2_000_000))
  assert.equal((await server.post(large, svixHeaders(large), '/large')).status, 200)
})

test('an option that cannot be used stops the start', () => {
  assert.throws(() => withWebhookMonitoring({ provider: 'clark' }), { name: 'SurehookError', code: 'unknown_provider' })
})
