// A store on the other side of a network never holds up the event loop, nor the end of the process; and it may fail.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { Endpoint, init } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { proxyBefore } from './support/proxy.mjs'
import { closedPort, serve, until } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { PASSWORD, postgres, redis, skipWithout } from './support/stores.mjs'

const log = []
const keep = (line) => log.push(line)
init({ logger: { info: keep, warn: keep, error: keep } })

const PROGRAM = fileURLToPath(new URL('programs/remote.mjs', import.meta.url))
/** The budget of a store's answer, and what a loaded machine adds to it. */
const BUDGET = 250
const ADDED_AT_MOST = 400

const options = (dedup, more = {}) => ({ provider: 'clerk', signatureSecret: SECRET, name: newId(), dedup, ...more })
const incoming = (id, body = clerkEvent()) => ({ method: 'POST', path: '/hook', headers: Object.entries(svixHeaders(body, { id })).flat(), body: Buffer.from(body) })
const ok = (text) => ({ status: 200, headers: [], body: Buffer.from(text) })

/** One guarded route of a real server; `events` says when a request was read, and when its connection ended. */
async function serving(t, dedup, handler, more) {
  const app = express()
  const events = new EventEmitter()
  app.set('env', 'production')
  app.use((req, res, next) => {
    req.once('end', () => setImmediate(() => events.emit('read')))
    res.once('close', () => events.emit('closed'))
    next()
  })
  app.post('/hook', guardExpress(options(dedup, more)), handler)
  const server = await serve(app)
  t.after(() => server.close())
  return {
    ...server,
    events,
    send(id = newId()) {
      const body = clerkEvent()
      return server.post('/hook', body, svixHeaders(body, { id }))
    },
  }
}

/** For how long at most nothing else could run while a promise was open, and how long that took. */
async function watched(promise) {
  const began = performance.now()
  let [last, longest, turns, open] = [began, 0, 0, true]
  const turn = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    turns++
    if (open) setTimeout(turn, 1)
  }
  setTimeout(turn, 1)
  const value = await promise
  open = false
  return { value, longest, turns, took: performance.now() - began }
}

for (const [name, start] of Object.entries({ redis, postgres })) {
  test(name, { skip: skipWithout(name) }, async (t) => {
    const server = await start(t)
    const proxy = await proxyBefore(t, server.port)
    const through = server.through(proxy.port)

    await t.test('decisions and ends are promises; a store of this process answers at once', async () => {
      const remote = new Endpoint(options(server.url))
      const request = incoming('msg_1')
      const begun = remote.begin(request, null)
      assert.ok(begun instanceof Promise)
      const { delivery } = await begun
      const ended = delivery.finish(ok('one'))
      assert.ok(ended instanceof Promise)
      assert.equal(await ended, null)
      assert.equal((await remote.begin(request, null)).answer.status, 200)
      const { new: handled, duplicate, fenced } = remote.dedupCounts()
      assert.deepEqual([handled, duplicate, fenced], [1, 1, 0])
      const local = new Endpoint(options('memory://')).begin(incoming('msg_1'), null)
      assert.equal(local.delivery.finish(ok('one')), null)
    })

    await t.test('the event loop goes on while the store says nothing, and is answered for within its budget', async (t) => {
      const app = await serving(t, through, (_req, res) => res.send('ok'))
      assert.equal((await app.send()).status, 200)
      proxy.stall()
      const { value: response, longest, turns, took } = await watched(app.send())
      proxy.flow()
      assert.equal(response.status, 503)
      assert.equal(response.headers.get('retry-after'), '30')
      assert.ok(took > BUDGET - 10 && took < BUDGET + ADDED_AT_MOST, `it took ${took} ms`)
      assert.ok(longest < BUDGET / 2 && turns > 20, `${turns} turns of the event loop, one after ${longest} ms`)
      await until(async () => (await app.send()).status === 200, 'the store to be used again')
    })

    await t.test('nor while it does not say that the answer is stored; the answer is sent all the same', async (t) => {
      const id = newId()
      const app = await serving(t, through, (_req, res) => {
        if (res.req.headers['svix-id'] === id) proxy.stall()
        res.status(201).json({ ok: true })
        assert.ok(res.headersSent, 'a second answer must be refused')
        assert.throws(() => res.json({ ok: false }), { code: 'ERR_HTTP_HEADERS_SENT' })
      })
      await until(async () => (await app.send()).status === 201, 'the store to be used')
      const { value: response, longest, turns } = await watched(app.send(id))
      assert.deepEqual([response.status, await response.text()], [201, '{"ok":true}'])
      assert.equal(response.headers.get('content-length'), '11')
      assert.ok(longest < BUDGET / 2 && turns > 20, `${turns} turns of the event loop, one after ${longest} ms`)
      proxy.flow()
      await until(async () => (await app.send(id)).headers.get('idempotent-replayed') === 'true', 'the answer to be stored after all')
    })

    await t.test('a sender that goes away while the store is asked starts no handler; one that goes away later ends none', async (t) => {
      let runs = 0
      let leave
      const app = await serving(t, through, (_req, res) => {
        runs++
        if (runs > 1) return res.send('handled')
        res.once('close', () => res.send('nobody gets it')) // and it is no success, so that the message is given back
        res.status(500)
        leave()
      })
      const body = clerkEvent()
      const id = newId()
      const request = () => {
        const sent = http.request({ port: app.port, path: '/hook', method: 'POST', agent: false, headers: svixHeaders(body, { id }) })
        leave = () => sent.destroy()
        sent.on('error', () => {}).end(body)
        return once(app.events, 'closed')
      }
      await request()
      assert.equal(runs, 1)
      const left = request()
      proxy.stall()
      await once(app.events, 'read')
      leave()
      await left
      proxy.flow()
      const answer = await until(async () => {
        const response = await app.post('/hook', body, svixHeaders(body, { id }))
        return response.status === 200 && response
      }, 'the message to be given back')
      assert.equal(await answer.text(), 'handled')
      assert.deepEqual([runs, answer.headers.get('idempotent-replayed')], [2, null], 'a sender that left before starts no handler')
    })

    await t.test('Next.js: the same, for a request that was given up', async () => {
      let runs = 0
      const POST = guardNext(options(server.url), () => new Response(String(++runs)))
      const controller = new AbortController()
      const body = clerkEvent()
      const id = newId()
      const send = (signal) => POST(new Request('http://localhost/', { method: 'POST', body, headers: svixHeaders(body, { id }), signal }))
      const left = send(controller.signal)
      controller.abort()
      assert.equal((await left).status, 499)
      assert.equal(runs, 0)
      const answer = await until(async () => {
        const response = await send()
        return response.status === 200 && response
      }, 'the message to be given back')
      assert.equal(await answer.text(), '1')
      assert.equal((await send()).headers.get('idempotent-replayed'), 'true')
    })

    await t.test("onInFlight: 'wait' gives a duplicate the answer of the first", async () => {
      const endpoint = new Endpoint(options(server.url, { onInFlight: 'wait' }))
      const body = clerkEvent()
      const { delivery } = await endpoint.begin(incoming('msg_wait', body), null)
      const waiting = endpoint.begin(incoming('msg_wait', body), null)
      const busy = await new Endpoint(options(server.url, { name: endpoint.name })).begin(incoming('msg_wait', body), null)
      assert.deepEqual([busy.answer.kind, busy.answer.status], ['busy', 409])
      await delivery.finish(ok('the first'))
      const { answer } = await waiting
      assert.deepEqual([answer.kind, Buffer.from(answer.body).toString()], ['replay', 'the first'])
    })

    for (const [mode, output] of [
      ['normally', 'handled\n'],
      ['process.exit', ''],
      ['from a worker that is ended', ''],
    ]) {
      await t.test(`a process that ends ${mode} while a store is asked`, async () => {
        const stalled = mode === 'normally' ? server.url : `${name}://127.0.0.1:${proxy.port}/0`
        if (mode !== 'normally') proxy.stall()
        const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, DEDUP: stalled, MODE: mode }, stdio: ['ignore', 'pipe', 'pipe'] })
        const [said, told] = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray())
        const [code, signal] = await once(child, 'close')
        proxy.flow()
        assert.deepEqual([code, signal, (await said).join('')], [0, null, output], (await told).join(''))
      })
    }

    await t.test('no line of the log holds the password', () => {
      assert.ok(log.length > 0)
      assert.ok(!log.join('\n').includes('canary'), log.join('\n'))
    })
  })
}

test("onStoreError: 'process' runs the handler without a store, and says so; 'reject' is the default", async () => {
  const nobody = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${await closedPort()}/0`
  log.length = 0
  const rejected = await new Endpoint(options(nobody)).begin(incoming(newId()), null)
  assert.deepEqual([rejected.answer.kind, rejected.answer.status], ['unavailable', 503])
  const { delivery } = await new Endpoint(options(nobody, { onStoreError: 'process' })).begin(incoming(newId()), null)
  assert.equal(await delivery.finish(ok('handled')), null)
  assert.ok(log.some((line) => line.includes('without de-duplication')))
  assert.ok(!log.join('\n').includes('canary'), log.join('\n'))
})
