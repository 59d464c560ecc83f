// D1 to D3: each store, through Express on a real server, with a real Redis and a real Postgres.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import express from 'express'
import { init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { send, shuffled } from './support/load.mjs'
import { serve } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { skipWithout, stores } from './support/stores.mjs'

const errors = []
init({ logger: { info() {}, warn() {}, error: (line) => errors.push(line) } })

/** One guarded route with a store of its own. */
async function serving(t, dedup, handler, options = {}) {
  const app = express().disable('x-powered-by')
  let arrived = 0
  app.use((_req, _res, next) => { arrived++; next() })
  app.post('/hook', withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: newId(), dedup, ...options }), handler)
  const server = await serve(app)
  t.after(() => server.close())
  return { ...server, arrived: () => arrived }
}

/** Answers of every kind that a handler gives. */
const ANSWERS = {
  'JSON with the headers that a replay keeps': (res) => res.status(201).set({ 'cache-control': 'no-store', 'content-language': 'fr', etag: '"1"', location: '/users/1', 'webhook-delivery': 'd1' }).json({ é: 1 }),
  'bytes that are no text': (res) => res.type('application/octet-stream').send(Buffer.from([0, 0xff, 0x0a, 0xc3, 0x28])),
  nothing: (res) => res.status(204).end(),
  'a body in pieces, without a length': (res) => { res.write('one'); res.end(Buffer.from('two')) },
  'a head of its own': (res) => { res.writeHead(202, { 'content-type': 'text/x-test' }); res.end('plain') },
  '64 KiB, the longest that is stored': (res) => res.type('text/plain').send('x'.repeat(65_536)),
}
const KEPT = ['cache-control', 'content-language', 'content-type', 'etag', 'location', 'webhook-delivery']

for (const [name, start] of Object.entries(stores)) {
  test(name, { skip: skipWithout(name) }, async (t) => {
    const dedup = await start(t)

    await t.test('D1: of 10 000 duplicates, 200 at a time, one runs the handler', async (t) => {
      let runs = 0
      const answer = randomBytes(16).toString('hex')
      const server = await serving(t, dedup, async (_req, res) => {
        runs++
        while (server.arrived() < 1000) await new Promise(setImmediate)
        res.send(answer)
      })
      const answers = await send(server.port, { messages: [{ id: newId(), body: clerkEvent() }], sequence: Array(10_000).fill(0) })
      const [handled, replayed, busy] = [0, 0, 0].map((_, kind) => answers.filter(({ status, replayed }) => kind === (status === 409 ? 2 : replayed ? 1 : 0)))
      assert.equal(runs, 1)
      assert.equal(handled.length, 1)
      assert.ok(busy.length > 500 && replayed.length > 5000, `${busy.length} were told to wait, ${replayed.length} got the stored answer`)
      for (const { status, body } of [...handled, ...replayed]) assert.deepEqual([status, body], [200, answer])
    })

    await t.test('D2: 10 000 messages, five times each, are 10 000 runs, and each replay has its own bytes', async (t) => {
      const runs = new Map()
      const server = await serving(t, dedup, (req, res) => {
        const { id } = req.body.data
        runs.set(id, [...(runs.get(id) ?? []), randomBytes(16).toString('hex')])
        res.send(runs.get(id)[0])
      }, { onInFlight: 'wait' })
      const messages = Array.from({ length: 10_000 }, (_, i) => ({ id: newId(), body: clerkEvent('user.created', { id: `user_${i}` }) }))
      const sequence = shuffled(10_000, 5, 0x5eed)
      const answers = await send(server.port, { messages, sequence })
      assert.equal(runs.size, 10_000)
      assert.ok([...runs.values()].every((one) => one.length === 1))
      assert.equal(answers.filter(({ replayed }) => replayed === 'true').length, 40_000)
      answers.forEach(({ status, body }, at) => assert.deepEqual([status, body], [200, runs.get(`user_${sequence[at]}`)[0]]))
    })

    for (const [what, give] of Object.entries(ANSWERS)) {
      await t.test(`D3: the replay of ${what} equals it`, async (t) => {
        const server = await serving(t, dedup, (_req, res) => give(res.set('set-cookie', 'session=1')))
        const body = clerkEvent()
        const headers = svixHeaders(body, { id: newId() })
        const [first, retry] = [await server.post('/hook', body, headers), await server.post('/hook', body, headers)]
        assert.equal(retry.status, first.status)
        for (const header of KEPT) assert.equal(retry.headers.get(header), first.headers.get(header), header)
        assert.deepEqual([first.headers.get('set-cookie'), retry.headers.get('set-cookie')], ['session=1', null])
        assert.deepEqual([first.headers.get('idempotent-replayed'), retry.headers.get('idempotent-replayed')], [null, 'true'])
        assert.deepEqual(Buffer.from(await retry.arrayBuffer()), Buffer.from(await first.arrayBuffer()))
      })
    }
    assert.deepEqual(errors, [])
  })
}
