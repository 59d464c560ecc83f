// The Express wrapper on real servers: Express 5 and 4, every way a body can reach it, and everything a sender can do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, test } from 'node:test'
import express5 from 'express'
import express4 from 'express4'
import { currentDelivery, init, stats } from 'surehook'
import { webhookErrors, withWebhookMonitoring } from 'surehook/express'
import { closedPort, raw, serve } from './support/server.mjs'
import { clerkEvent, newId, OTHER_SECRET, SECRET, standardHeaders, svixHeaders } from './support/signing.mjs'

const log = []
const logger = Object.fromEntries(['info', 'warn', 'error'].map((level) => [level, (line) => log.push(`${level}: ${line}`)]))

before(async () => {
  // Nobody collects here: what these tests see must be the same as with a collector.
  init({ apiKey: 'shk_test', endpoint: `http://127.0.0.1:${await closedPort()}`, logger })
})

const REJECTED = '{"error":"invalid webhook signature"}'
let names = 0
const guard = (options = {}, handler) =>
  withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: `express-${names++}`, ...options }, handler)

/** Serves one application for one test. */
async function serving(t, build, express = express5) {
  const app = express()
  app.set('env', 'production')
  build(app)
  const server = await serve(app)
  t.after(() => server.close())
  return server
}

const echo = (req, res) => res.type('application/vnd.test+json').send(JSON.stringify({ got: req.body, raw: Buffer.from(req.rawBody).toString('base64') }))

for (const [version, express] of [['5', express5], ['4', express4]]) {
  for (const [how, parser] of [
    ['no body parser', null],
    ['express.json with a Buffer stash', (e) => e.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } })],
    ['express.json with a text stash', (e) => e.json({ verify: (req, _res, bytes) => { req.rawBody = bytes.toString() } })],
    ['express.raw', (e) => e.raw({ type: '*/*' })],
    ['express.raw that does not match', (e) => e.raw({ type: 'text/csv' })],
  ]) {
    test(`Express ${version}, ${how}: the handler sees the JSON and the exact bytes`, async (t) => {
      const server = await serving(t, (app) => {
        if (parser) app.use(parser(express))
        app.post('/hook', guard(), echo)
      }, express)
      const body = clerkEvent()
      const response = await server.post('/hook', body, svixHeaders(body))
      assert.equal(response.status, 200)
      assert.deepEqual(await response.json(), { got: JSON.parse(body), raw: Buffer.from(body).toString('base64') })
    })
  }

  test(`Express ${version}: express.json before the wrapper, without a stash, is refused, and the log says what to do`, async (t) => {
    const server = await serving(t, (app) => app.use(express.json()).post('/hook', guard(), echo), express)
    const body = clerkEvent()
    log.length = 0
    const response = await server.post('/hook', body, svixHeaders(body))
    assert.equal(response.status, 401)
    assert.equal(await response.text(), REJECTED)
    assert.ok(log.some((line) => line.includes('body_unavailable')) && log.some((line) => line.includes('req.rawBody = bytes')), log.join('\n'))
  })

  test(`Express ${version}: express.json after the wrapper leaves the body alone`, async (t) => {
    const server = await serving(t, (app) => app.post('/hook', guard(), express.json(), echo), express)
    const body = clerkEvent()
    const response = await server.post('/hook', body, svixHeaders(body))
    assert.deepEqual((await response.json()).got, JSON.parse(body))
  })

  test(`Express ${version}: a retry runs nothing and gets the same bytes`, async (t) => {
    let runs = 0
    const server = await serving(t, (app) => app.post('/hook', guard(), (req, res) => { runs++; echo(req, res) }), express)
    const body = clerkEvent()
    const id = newId()
    const first = await server.post('/hook', body, svixHeaders(body, { id }))
    const bytes = Buffer.from(await first.arrayBuffer())
    for (const headers of [svixHeaders(body, { id }), standardHeaders(body, { id })]) {
      const retry = await server.post('/hook', body, headers)
      assert.equal(retry.status, 200)
      assert.equal(retry.headers.get('content-type'), first.headers.get('content-type'))
      assert.equal(retry.headers.get('idempotent-replayed'), 'true')
      assert.ok(Buffer.from(await retry.arrayBuffer()).equals(bytes))
    }
    assert.equal(first.headers.get('idempotent-replayed'), null)
    assert.equal(runs, 1)
  })

  test(`Express ${version}: 200 duplicates at once run the handler once`, async (t) => {
    let runs = 0
    let release
    const released = new Promise((resolve) => { release = resolve })
    const server = await serving(t, (app) => app.post('/hook', guard(), async (_req, res) => {
      runs++
      await released
      res.json({ run: runs })
    }), express)
    const body = clerkEvent()
    const id = newId()
    let busy = 0
    const answers = Array.from({ length: 200 }, async () => {
      const response = await server.post('/hook', body, svixHeaders(body, { id }))
      if (response.status === 409) busy++
      if (busy === 199) release()
      return response
    })
    const responses = await Promise.all(answers)
    assert.equal(runs, 1)
    assert.equal(responses.filter((response) => response.status === 200).length, 1)
    assert.ok(responses.filter((response) => response.status === 409).every((response) => response.headers.get('retry-after')))
  })

  test(`Express ${version}: an error goes to the error handlers, and the retry runs the handler again`, async (t) => {
    const seen = []
    let fails = true
    const server = await serving(t, (app) => {
      app.post('/hook', guard(), (_req, res) => {
        if (fails) throw new Error('no such table: users')
        res.send('ok')
      })
      app.use(webhookErrors())
      app.use((error, _req, res, _next) => { seen.push(error.message); res.status(500).send('sorry') })
    }, express)
    const body = clerkEvent()
    const id = newId()
    assert.equal((await server.post('/hook', body, svixHeaders(body, { id }))).status, 500)
    assert.deepEqual(seen, ['no such table: users'])
    fails = false
    assert.equal(await (await server.post('/hook', body, svixHeaders(body, { id }))).text(), 'ok')
  })
}

test('a handler given to the wrapper gets the delivery; its rejected promise goes to next()', async (t) => {
  const seen = []
  const server = await serving(t, (app) => {
    app.post('/hook', guard({}, async (req, res, delivery) => {
      await null
      seen.push(delivery.messageId, delivery.eventType, delivery.entityId, delivery === currentDelivery(), delivery === req.surehook)
      if (delivery.eventType === 'user.deleted') throw new TypeError('it is a test')
      delivery.step('create_profile')
      delivery.processed()
      res.json({ ok: true })
    }))
    app.use((error, _req, res, _next) => res.status(503).send(error.name))
  })
  const body = clerkEvent('user.created', { id: 'user_7' })
  await server.post('/hook', body, svixHeaders(body, { id: 'msg_handle' }))
  assert.deepEqual(seen, ['msg_handle', 'user.created', 'user_7', true, true])
  const deleted = clerkEvent('user.deleted')
  const response = await server.post('/hook', deleted, svixHeaders(deleted))
  assert.equal(response.status, 503)
  assert.equal(await response.text(), 'TypeError')
})

test('the delivery is reached from anywhere in the calls of the handler, and from nowhere else', async (t) => {
  const ids = []
  const deep = async () => { await null; ids.push(currentDelivery()?.messageId) }
  const server = await serving(t, (app) => app.post('/hook', guard(), async (_req, res) => { await deep(); res.end() }))
  const messages = Array.from({ length: 20 }, () => ({ id: newId(), body: clerkEvent() }))
  await Promise.all(messages.map(({ id, body }) => server.post('/hook', body, svixHeaders(body, { id }))))
  assert.deepEqual(ids.sort(), messages.map(({ id }) => id).sort())
  assert.equal(currentDelivery(), undefined)
})

test('marks decide: failed() and a silent drop let the retry run; a drop can be made a 500', async (t) => {
  let mark = 'failed'
  const server = await serving(t, (app) => {
    app.post('/hook', guard({ steps: { 'user.*': ['create_profile'] }, onSilentDrop: 'retry' }), (req, res) => {
      if (mark === 'failed') req.surehook.failed('no such plan')
      if (mark === 'step') req.surehook.step('create_profile')
      res.setHeader('x-handler', 'yes').json({ mark })
    })
  })
  const body = clerkEvent()
  const id = newId()
  const send = () => server.post('/hook', body, svixHeaders(body, { id }))
  assert.deepEqual(await (await send()).json(), { mark: 'failed' })
  mark = 'nothing'
  const dropped = await send()
  assert.equal(dropped.status, 500)
  assert.equal(dropped.headers.get('x-handler'), null, 'nothing of the handler is left in an answer that is not its own')
  assert.match(await dropped.text(), /not processed/)
  mark = 'step'
  assert.deepEqual(await (await send()).json(), { mark: 'step' })
  mark = 'again'
  assert.deepEqual(await (await send()).json(), { mark: 'step' })
})

test('headers that were sent are respected: such an answer is never replaced', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard({ requireProcessingMark: true, onSilentDrop: 'retry' }), (_req, res) => {
    res.write('a')
    res.end('b')
  }))
  const body = clerkEvent()
  const response = await server.post('/hook', body, svixHeaders(body))
  assert.equal(response.status, 200)
  assert.equal(await response.text(), 'ab')
})

for (const [what, answer, type] of [
  ['writeHead with headers, without Express', (_req, res) => { res.writeHead(201, { 'Content-Type': 'text/x-test' }); res.end('plain') }, 'text/x-test'],
  ['writeHead with a reason and a flat list', (_req, res) => { res.writeHead(201, 'Made', ['Content-Type', 'text/x-flat']); res.end('plain') }, 'text/x-flat'],
  ['several writes in several encodings', (_req, res) => { res.status(201).type('text/x-many'); res.write('706c', 'hex'); res.write(Buffer.from('ai')); res.end('n', 'latin1') }, 'text/x-many'],
]) {
  test(`replays ${what}`, async (t) => {
    const server = await serving(t, (app) => app.disable('x-powered-by').post('/hook', guard(), answer))
    const body = clerkEvent()
    const id = newId()
    for (const replayed of [null, 'true']) {
      const response = await server.post('/hook', body, svixHeaders(body, { id }))
      assert.equal(response.status, 201)
      assert.equal(response.headers.get('idempotent-replayed'), replayed)
      assert.ok(response.headers.get('content-type').startsWith(type))
      assert.equal(await response.text(), 'plain')
    }
  })
}

test('an answer over 64 KiB is sent whole, and its replay says that the body is left out', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), (_req, res) => res.send('x'.repeat(65_537))))
  const body = clerkEvent()
  const id = newId()
  assert.equal((await (await server.post('/hook', body, svixHeaders(body, { id }))).text()).length, 65_537)
  const replay = await server.post('/hook', body, svixHeaders(body, { id }))
  assert.equal(replay.headers.get('idempotent-replayed'), 'body-omitted')
  assert.equal(await replay.text(), '')
})

test('every rejection looks the same to the sender, tells nothing, and is logged with its code', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), echo))
  const body = clerkEvent()
  const good = svixHeaders(body)
  const cases = {
    signature_mismatch: svixHeaders(body, { secret: OTHER_SECRET }),
    missing_header: {},
    timestamp_too_old: svixHeaders(body, { at: new Date(Date.now() - 400_000) }),
    malformed_timestamp: { ...good, 'svix-timestamp': '12e3' },
    malformed_message_id: { ...good, 'svix-id': 'a.b' },
    malformed_signature: { ...good, 'svix-signature': 'v1,' },
    too_many_signatures: { ...good, 'svix-signature': Array(65).fill(good['svix-signature']).join(' ') },
    mixed_header_family: { ...good, 'webhook-id': 'msg_1' },
  }
  for (const [code, headers] of Object.entries(cases)) {
    log.length = 0
    const response = await server.post('/hook', body, headers)
    assert.equal(response.status, 401, code)
    assert.equal(await response.text(), REJECTED)
    assert.ok(log.some((line) => line.includes(code)), `${code}: ${log.join('\n')}`)
  }
})

test('a header that comes twice is refused, though Node would join the two', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), echo))
  const body = clerkEvent()
  const lines = Object.entries({ host: 'x', connection: 'close', 'content-length': Buffer.byteLength(body), ...svixHeaders(body) })
  log.length = 0
  const request = ['POST /hook HTTP/1.1', ...lines.map((line) => line.join(': ')), 'svix-id: other', '', body].join('\r\n')
  assert.match(await raw(server.port, Buffer.from(request)), /^HTTP\/1.1 401 [^]*invalid webhook signature/)
  assert.ok(log.some((line) => line.includes('duplicate_header')))
})

test('bytes in headers that are no text are refused, not thrown at', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), echo))
  const request = Buffer.concat([Buffer.from('POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\nsvix-id: '), Buffer.from([0xff, 0xe9, 0x80]), Buffer.from('\r\nsvix-timestamp: 1\r\nsvix-signature: v1,a\r\n\r\n{}')])
  assert.match(await raw(server.port, request), /^HTTP\/1.1 401 /)
})

for (const [what, body] of [
  ['text that is no JSON', 'hello'],
  ['JSON of an unknown shape', '[1,{"type":7}]'],
  ['an empty body', ''],
]) {
  test(`${what}, correctly signed, reaches the handler`, async (t) => {
    const server = await serving(t, (app) => app.post('/hook', guard(), (req, res) => res.json({ bytes: Buffer.from(req.rawBody).toString(), parsed: !Buffer.isBuffer(req.body) })))
    const response = await server.post('/hook', body, svixHeaders(body))
    assert.deepEqual(await response.json(), { bytes: body, parsed: body.startsWith('[') })
  })
}

test('a body of bytes that are no text is not changed on its way to the check', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), echo))
  const bytes = Buffer.from([0x7b, 0xff, 0x7d])
  const response = await server.post('/hook', bytes, svixHeaders(bytes.toString()))
  assert.equal(response.status, 401)
})

test('a body over the limit is a 413, announced or not, and nothing of it is kept', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard({ maxBodyBytes: 1000 }), echo))
  const body = 'x'.repeat(1001)
  const announced = await server.post('/hook', body, svixHeaders(body))
  assert.equal(announced.status, 413)

  const request = http.request({ port: server.port, path: '/hook', method: 'POST', headers: svixHeaders(body) })
  const answered = once(request, 'response')
  request.write('x'.repeat(600))
  request.write('x'.repeat(600))
  const [response] = await answered
  assert.equal(response.statusCode, 413, 'answered before the sender is done')
  response.resume()
  request.end('x'.repeat(600))
  await once(response, 'end')

  const fits = 'x'.repeat(1000)
  assert.equal((await server.post('/hook', fits, svixHeaders(fits))).status, 200)
})

test('a sender that goes away while it sends costs nothing', async (t) => {
  const server = await serving(t, (app) => app.post('/hook', guard(), echo))
  const request = http.request({ port: server.port, path: '/hook', method: 'POST', headers: { 'content-length': 100 } })
  request.on('error', () => {})
  request.write('half')
  await once(request, 'socket')
  request.destroy()
  const body = clerkEvent()
  assert.equal((await server.post('/hook', body, svixHeaders(body))).status, 200)
})

test('a key of the user decides what is the same; one that fails does no harm', async (t) => {
  const calls = []
  let key = (_req, body, headers) => { calls.push([body.data.id, headers['svix-id']]); return body.data.id }
  let runs = 0
  const server = await serving(t, (app) => app.post('/hook', guard({ idempotencyKey: (...args) => key(...args) }), (_req, res) => res.json({ run: ++runs })))
  const body = clerkEvent('user.created', { id: 'user_same' })
  const send = async (headers) => (await server.post('/hook', body, headers)).text()
  const [first, second] = [svixHeaders(body, { id: newId() }), svixHeaders(body, { id: newId() })]
  assert.equal(await send(first), await send(second))
  assert.equal(runs, 1)
  assert.deepEqual(calls[0], ['user_same', first['svix-id']])

  await server.post('/hook', body, svixHeaders(body, { secret: OTHER_SECRET }))
  assert.equal(calls.length, 2, 'a forged request never reaches it')

  log.length = 0
  for (const broken of [() => { throw new Error('no key today') }, async () => 'later', () => undefined, () => 7]) {
    key = broken
    assert.equal((await server.post('/hook', body, svixHeaders(body))).status, 200)
  }
  assert.equal(runs, 5)
  assert.ok(log.some((line) => line.includes('no key today')))
})

test('a key of the user for a body that is no JSON gets the bytes', async (t) => {
  let got
  const server = await serving(t, (app) => app.post('/hook', guard({ idempotencyKey: (_req, body) => { got = body } }), (_req, res) => res.end()))
  await server.post('/hook', 'no JSON', svixHeaders('no JSON'))
  assert.ok(Buffer.isBuffer(got) && got.toString() === 'no JSON')
})

test('other routes are untouched', async (t) => {
  const server = await serving(t, (app) => {
    app.post('/hook', guard(), echo)
    app.post('/other', express5.json(), (req, res) => res.json({ got: req.body, delivery: req.surehook === undefined && currentDelivery() === undefined }))
  })
  const response = await server.post('/other', '{"a":1}')
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { got: { a: 1 }, delivery: true })
  assert.equal((await fetch(`${server.url}/nothing`)).status, 404)
})

test('rejectStatus changes the status and nothing else; verification off lets through and says so', async (t) => {
  log.length = 0
  const server = await serving(t, (app) => {
    app.post('/teapot', guard({ rejectStatus: 400 }), echo)
    app.post('/open', guard({ verification: 'off', name: 'open-door' }), (_req, res) => res.send('open'))
  })
  const response = await server.post('/teapot', '{}')
  assert.equal(response.status, 400)
  assert.equal(await response.text(), REJECTED)
  assert.equal(await (await server.post('/open', '{}')).text(), 'open')
  assert.equal(log.filter((line) => line.includes('open-door') && line.includes('verification is off')).length, 1)
})

test('with no collector nothing was slower or broken, and every attempt of this file is still counted', () => {
  const { recorded, stored, summarised, queued, dropped } = stats()
  assert.ok(recorded > 400)
  assert.equal(recorded, stored + summarised + queued + Object.values(dropped).reduce((sum, count) => sum + count, 0))
})

after(() => {
  assert.ok(!log.join('\n').includes(SECRET.slice('whsec_'.length)))
})
