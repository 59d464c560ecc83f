// D1 to D3 for each store, with a real Redis and a real Postgres. D1 and D3 go through a real Express server; D2 asks the endpoint
// itself, which is what an adapter does: its 50 000 requests are about the stores, and 200 000 HTTP requests would take minutes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import express from 'express'
import { Endpoint, init } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { atATime, sendMany } from './support/load.mjs'
import { serve } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { skipWithout, stores } from './support/stores.mjs'

const errors = []
init({ logger: { info() {}, warn() {}, error: (line) => errors.push(line) } })

const options = (dedup, more = {}) => ({ provider: 'clerk', signatureSecret: SECRET, name: newId(), dedup, ...more })

/** One guarded route of a real server. */
async function serving(t, dedup, handler) {
  const app = express().disable('x-powered-by')
  let arrived = 0
  app.use((_req, _res, next) => { arrived++; next() })
  app.post('/hook', guardExpress(options(dedup)), handler)
  const server = await serve(app)
  t.after(() => server.close())
  return { ...server, arrived: () => arrived }
}

/** Signed once for all stores: signing takes longer than asking one of them. */
const messages = Array.from({ length: 10_000 }, (_, i) => {
  const id = `user_${i}`
  const body = clerkEvent('user.created', { id })
  return { id, incoming: { method: 'POST', path: '/hook', headers: Object.entries(svixHeaders(body)).flat(), body: Buffer.from(body) } }
})

/** Each of a list, so many times, in an order that the seed decides. */
function shuffled(list, times, seed) {
  const all = Array.from({ length: list.length * times }, (_, i) => list[i % list.length])
  let state = seed
  for (let i = all.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    ;[all[i], all[j]] = [all[j], all[i]]
  }
  return all
}

/** Answers of every kind that a handler gives. */
const ANSWERS = {
  'JSON with the headers that a replay keeps': (res) => res.status(201).set({ 'cache-control': 'no-store', 'content-language': 'fr', etag: '"1"', location: '/users/1', 'webhook-delivery': 'd1', 'x-own': 'of the handler' }).json({ é: 1 }),
  'bytes that are no text': (res) => res.type('application/octet-stream').send(Buffer.from([0, 0xff, 0x0a, 0xc3, 0x28])),
  nothing: (res) => res.status(204).end(),
  'a body in pieces, without a length': (res) => { res.write('one'); res.end(Buffer.from('two')) },
  'a head of its own': (res) => { res.writeHead(202, { 'content-type': 'text/x-test' }); res.end('plain') },
  '64 KiB, the longest that is stored': (res) => res.type('text/plain').send('x'.repeat(65_536)),
}
const KEPT = ['cache-control', 'content-language', 'content-type', 'etag', 'location', 'webhook-delivery', 'x-own']

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
      const body = clerkEvent()
      const answers = await sendMany(server.port, { body, headers: svixHeaders(body), count: 10_000 })
      const [busy, others] = [true, false].map((isBusy) => answers.filter(({ status }) => (status === 409) === isBusy))
      assert.equal(runs, 1)
      assert.equal(others.filter(({ replayed }) => replayed === null).length, 1)
      assert.ok(busy.length > 500 && others.length > 5000, `${busy.length} times 409, ${others.length} answers`)
      for (const { status, body } of others) assert.deepEqual([status, body], [200, answer])
    })

    await t.test('D2: 10 000 messages, five times each, are 10 000 runs, and each replay has its own bytes', async () => {
      const given = new Map()
      const endpoint = new Endpoint(options(dedup, { onInFlight: 'wait', toleranceSeconds: 3600 }))
      const sequence = shuffled(messages, 5, 0x5eed)
      let replays = 0
      await atATime(200, sequence.length, async (at) => {
        const { id, incoming } = sequence[at]
        const { answer, delivery } = await endpoint.begin(incoming, null)
        if (delivery) {
          assert.ok(!given.has(id), `${id} runs twice`)
          given.set(id, randomBytes(16))
          await delivery.finish({ status: 200, headers: [], body: given.get(id) })
        } else {
          replays++
          assert.deepEqual([answer.kind, answer.status], ['replay', 200])
          assert.ok(given.get(id).equals(answer.body), `${id} gets the answer of another`)
        }
      })
      assert.deepEqual([given.size, replays], [10_000, 40_000])
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
