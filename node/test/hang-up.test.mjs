// Senders that hang up before the answer: the handler runs on, its message stays claimed, and how it ends is what counts. On real
// servers; Next.js has its own in next-server.test.mjs.
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import express5 from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import { init } from 'surehook'
import { webhookErrors, withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { capture, freeze } from 'surehook/testing'
import { duplicates, impatient, sendImpatiently } from './support/impatient.mjs'
import { serve, until } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

init({ logger: { info() {}, warn() {}, error() {} } })

const options = (more = {}) => ({ provider: 'clerk', signatureSecret: SECRET, name: newId(), ...more })

/** Every way in which a handler gives its answer. `work(id)` is a promise of what it is to answer. */
const FRAMEWORKS = {}
for (const [version, express] of [['5', express5], ['4', express4]]) {
  const serving = (build) => async (t, work, more) => {
    const app = express()
    app.set('env', 'production')
    build(app, work, more)
    app.use(webhookErrors())
    app.use((error, _req, res, _next) => res.status(500).send(error.name))
    const server = await serve(app)
    t.after(() => server.close())
    return server
  }
  FRAMEWORKS[`Express ${version}, a handler of the wrapper`] = serving((app, work, more) => {
    app.post('/hook', guardExpress(options(more), async (_req, res, delivery) => { res.json(await work(delivery.messageId)) }))
  })
  FRAMEWORKS[`Express ${version}, a callback`] = serving((app, work, more) => {
    app.post('/hook', guardExpress(options(more)), (req, res, next) => { work(req.surehook.messageId).then((answer) => res.json(answer), next) })
  })
}

const servingFastify = (handler) => async (t, work, more) => {
  const app = Fastify()
  app.post('/hook', guardFastify(options(more)), handler(work))
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(() => app.close())
  const { port } = app.server.address()
  const post = (path, body, headers) => fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  return { port, post }
}
FRAMEWORKS['Fastify, a promise'] = servingFastify((work) => async (request) => work(request.surehook.messageId))
FRAMEWORKS['Fastify, a callback'] = servingFastify((work) => (request, reply) => { work(request.surehook.messageId).then((answer) => reply.send(answer), (error) => reply.send(error)) })
FRAMEWORKS['Fastify, the reply returned'] = servingFastify((work) => async (request, reply) => {
  work(request.surehook.messageId).then((answer) => reply.send(answer), (error) => reply.send(error))
  return reply
})

/** Sends a message and hangs up when its handler runs. */
async function hangUp(port, message, running) {
  const headers = { 'content-type': 'application/json', ...message.headers }
  const request = http.request({ port, host: '127.0.0.1', path: '/hook', method: 'POST', agent: false, headers })
  request.on('error', () => {}).end(message.body)
  await until(running, 'the handler')
  request.destroy()
}

function message() {
  const body = clerkEvent()
  const id = newId()
  return { id, body, headers: svixHeaders(body, { id }) }
}

/** A handler that waits to be told how it ends: `end(answer)`, or `end(error)`. */
function stage() {
  const told = []
  return {
    get runs() { return told.length },
    work: () => new Promise((resolve, reject) => { told.push((end) => (end instanceof Error ? reject(end) : resolve(end))) }),
    end: (end) => told.at(-1)(end),
  }
}

for (const [name, serving] of Object.entries(FRAMEWORKS)) {
  test(`${name}: the retry of a sender that hung up gets 409, then the stored answer`, async (t) => {
    const kept = capture()
    t.after(() => kept.stop())
    const handler = stage()
    const server = await serving(t, handler.work)
    const { body, headers } = message()
    await hangUp(server.port, { body, headers }, () => handler.runs === 1)
    const retry = () => server.post('/hook', body, headers)
    assert.equal((await retry()).status, 409)
    await pause(50)
    assert.equal((await retry()).status, 409, 'the connection is closed by now, and the handler still runs')
    kept.clear()
    handler.end({ done: 1 })
    await until(() => kept.attempts.length === 1, 'the record')
    const { outcome, status, sender_left: left } = kept.one()
    assert.deepEqual([outcome, status, left], ['processed', 200, true])
    const answer = await retry()
    assert.deepEqual([answer.status, answer.headers.get('idempotent-replayed'), await answer.text()], [200, 'true', '{"done":1}'])
    assert.equal(handler.runs, 1)
    assert.equal(kept.attempts.at(-1).sender_left, undefined)
  })

  test(`${name}: a handler that fails after its sender hung up runs again at the retry`, async (t) => {
    const kept = capture()
    t.after(() => kept.stop())
    const handler = stage()
    const server = await serving(t, handler.work)
    const { body, headers } = message()
    await hangUp(server.port, { body, headers }, () => handler.runs === 1)
    assert.equal((await server.post('/hook', body, headers)).status, 409)
    kept.clear()
    handler.end(new TypeError('no such table'))
    await until(() => kept.attempts.length === 1, 'the record')
    const { outcome, failure, sender_left: left } = kept.one()
    assert.deepEqual([outcome, failure.error.type, left], ['failed', 'TypeError', true])
    const answer = server.post('/hook', body, headers)
    await until(() => handler.runs === 2, 'the handler')
    handler.end({ again: true })
    assert.deepEqual(await (await answer).json(), { again: true })
  })

  test(`${name}: a handler that never answers has failed after 15 minutes`, async (t) => {
    const kept = capture()
    const clock = freeze(Date.now())
    t.after(() => { clock.restore(); kept.stop() })
    const handler = stage()
    const server = await serving(t, handler.work)
    const { body, headers } = message()
    await hangUp(server.port, { body, headers }, () => handler.runs === 1)
    clock.tick(15 * 60_000)
    await until(() => kept.attempts.length === 1, 'the record')
    const { outcome, failure, sender_left: left } = kept.one()
    assert.deepEqual([outcome, failure.error.type, left], ['failed', 'NeverAnswered', true])
    const answer = server.post('/hook', body, svixHeaders(body, { id: headers['svix-id'], at: new Date(Date.now() + 900_000) }))
    await until(() => handler.runs === 2, 'the handler')
    handler.end({})
    assert.equal((await answer).status, 200)
  })

  test(`${name}: of 300 messages whose senders hang up at random, each is handled once`, async (t) => {
    const runs = new Map()
    const server = await serving(t, async (id) => {
      runs.set(id, (runs.get(id) ?? 0) + 1)
      await pause(5 + Math.random() * 40)
      return { id }
    })
    const { senders, seed } = impatient(300)
    const answers = await sendImpatiently(server.port, senders, 50)
    for (const [i, answer] of answers.entries()) assert.deepEqual([answer?.status, answer?.body], [200, `{"id":"${senders[i].id}"}`], `seed ${seed}`)
    assert.deepEqual([...runs.values()].filter((count) => count !== 1), [], `seed ${seed}`)
    assert.equal(runs.size, senders.length)
  })
}

for (const name of ['Express 5, a handler of the wrapper', 'Express 4, a callback', 'Fastify, a promise', 'Fastify, a callback']) {
  test(`${name}: of 10,000 duplicates, 200 at a time, half of whose senders hang up, one is handled`, async (t) => {
    let runs = 0
    const server = await FRAMEWORKS[name](t, async () => {
      await pause(100)
      return { run: ++runs }
    })
    const { senders, seed } = duplicates(10_000)
    const answers = await sendImpatiently(server.port, senders)
    const got = answers.filter((answer) => answer !== null)
    assert.equal(runs, 1, `seed ${seed}`)
    assert.ok(got.every(({ status, body }) => status === 409 || (status === 200 && body === '{"run":1}')), `seed ${seed}`)
    assert.ok(got.filter(({ replayed }) => replayed).length > 1000, `seed ${seed}`)
  })
}

test('Express: a promise that ended without an answer has failed once the connection is closed, in either order', async (t) => {
  const kept = capture()
  t.after(() => kept.stop())
  let end
  let runs = 0
  const app = express5()
  app.post('/hook', guardExpress(options(), () => { runs++; return new Promise((resolve) => { end = resolve }) }))
  const server = await serve(app)
  t.after(() => server.close())
  for (const endsFirst of [true, false]) {
    const { body, headers } = message()
    const before = runs
    await hangUp(server.port, { body, headers }, async () => {
      if (runs === before) return false
      if (endsFirst) { end(); await pause(20) }
      return true
    })
    if (!endsFirst) {
      assert.equal((await server.post('/hook', body, headers)).status, 409)
      end()
    }
    const failed = () => kept.attempts.filter(({ outcome }) => outcome === 'failed')
    await until(() => failed().length === 1, 'the record')
    assert.deepEqual([failed()[0].failure.error.type, failed()[0].sender_left], ['ClientDisconnected', true])
    kept.clear()
  }
})

test('Fastify: a handler that returns nothing has answered, as it has with a sender that stays', async (t) => {
  const handler = stage()
  const server = await servingFastify((work) => async (request) => { await work(request.surehook.messageId) })(t, handler.work)
  const { body, headers } = message()
  await hangUp(server.port, { body, headers }, () => handler.runs === 1)
  assert.equal((await server.post('/hook', body, headers)).status, 409)
  handler.end()
  const answer = await until(async () => {
    const response = await server.post('/hook', body, headers)
    return response.status === 200 && response
  }, 'the stored answer')
  assert.deepEqual([answer.headers.get('idempotent-replayed'), await answer.text(), handler.runs], ['true', '', 1])
})

test('Fastify: a reply that the handler took over and ended is handled; it is so after the sender left too', async (t) => {
  const kept = capture()
  t.after(() => kept.stop())
  const handler = stage()
  const server = await servingFastify((work) => async (request, reply) => {
    reply.hijack()
    await work(request.surehook.messageId)
    reply.raw.writeHead(202, { 'x-own': 'yes' }).end('raw')
  })(t, handler.work)
  const stays = message()
  const answer = server.post('/hook', stays.body, stays.headers)
  await until(() => handler.runs === 1, 'the handler')
  handler.end()
  assert.equal(await (await answer).text(), 'raw')
  await until(() => kept.attempts.length === 1, 'the record')
  assert.deepEqual([kept.one().outcome, kept.one().status], ['processed', 202])
  assert.equal((await server.post('/hook', stays.body, stays.headers)).headers.get('idempotent-replayed'), 'body-omitted')

  const leaves = message()
  await hangUp(server.port, leaves, () => handler.runs === 2)
  await pause(50)
  assert.equal((await server.post('/hook', leaves.body, leaves.headers)).status, 409)
  handler.end()
  const retry = await until(async () => {
    const response = await server.post('/hook', leaves.body, leaves.headers)
    return response.status === 202 && response
  }, 'the stored answer')
  assert.deepEqual([retry.headers.get('idempotent-replayed'), handler.runs], ['body-omitted', 2])
})

test("on Vercel the platform waits for a handler whose sender has left, also outside of Next.js", async (t) => {
  const waits = []
  globalThis[Symbol.for('@vercel/request-context')] = { get: () => ({ waitUntil: (promise) => { waits.push(promise) } }) }
  t.after(() => delete globalThis[Symbol.for('@vercel/request-context')])
  const handler = stage()
  const server = await FRAMEWORKS['Express 5, a callback'](t, handler.work)
  await hangUp(server.port, message(), () => handler.runs === 1)
  assert.equal(waits.length, 1)
  await pause(50)
  assert.equal(await Promise.race([waits[0].then(() => 'over'), pause(50, 'waits')]), 'waits')
  handler.end({})
  await waits[0]
})
