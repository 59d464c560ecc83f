// The handler's work and the memory of it in one transaction of a real Postgres: they stand or fall together.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import express from 'express'
import pg from 'pg'
import { currentDelivery, Endpoint, init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { clients, WORK } from './support/application.mjs'
import { atATime } from './support/load.mjs'
import { serve } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { PASSWORD, postgres, skipWithout } from './support/stores.mjs'
import { wrappers } from './support/wrappers.mjs'

const log = []
const keep = (line) => log.push(line)
init({ logger: { info: keep, warn: keep, error: keep } })
before(() => import('./support/prisma/generate.mjs'))

const PROGRAM = fileURLToPath(new URL('programs/transaction.mjs', import.meta.url))
const transaction = () => currentDelivery().transaction()

for (const [name, connect] of Object.entries(clients)) {
  test(name, { skip: skipWithout('postgres') }, async (t) => {
    const { url } = await postgres(t)
    const database = new pg.Client(url)
    await database.connect()
    await database.query(WORK)
    const { store, insert, close } = connect(url)
    const count = async (sql, id) => Number((await database.query(`SELECT count(*) FROM ${sql}`, id && [id])).rows[0].count)
    const work = (id) => count('work WHERE message = $1', id)

    /** One guarded Express route; `send` gives status, text and whether it is a replay. */
    const serving = async (t, handler, options = {}) => {
      const app = express()
      app.set('env', 'production')
      app.post('/hook', withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: newId(), store, ...options }), handler)
      app.use((error, _req, res, _next) => res.status(500).send(`${res.getHeader('x-handler') ?? 'nothing of it'}: ${error.message.split('\n').at(-1)}`))
      const server = await serve(app)
      t.after(() => server.close())
      const body = clerkEvent()
      return async (id) => {
        const response = await server.post('/hook', body, svixHeaders(body, { id }))
        return [response.status, await response.text(), response.headers.get('idempotent-replayed') !== null]
      }
    }
    const idOf = (req) => req.surehook.messageId
    const handle = async (req, res) => {
      await insert(transaction(), idOf(req))
      res.status(201).send(`handled ${idOf(req)}`)
    }

    for (const [framework, wrap] of Object.entries(wrappers)) {
      await t.test(`${framework}: the work and the answer stand together, and a duplicate gets the same bytes`, async (t) => {
        const call = await wrap(t, { provider: 'clerk', signatureSecret: SECRET, store }, async () => {
          const { messageId } = currentDelivery()
          await insert(transaction(), messageId)
          return `handled ${messageId}`
        })
        const [id, body] = [newId(), clerkEvent()]
        const headers = { 'content-type': 'application/json', ...svixHeaders(body, { id }) }
        for (const replayed of [undefined, 'true']) {
          const { status, headers: given, text } = await call({ headers, body })
          assert.deepEqual([status, text, given['idempotent-replayed']], [200, `handled ${id}`, replayed])
        }
        assert.equal(await work(id), 1)
      })

      await t.test(`${framework}: what a handler throws undoes its work, and the next attempt runs it`, async (t) => {
        let fails = true
        const call = await wrap(t, { provider: 'clerk', signatureSecret: SECRET, store }, async () => {
          await insert(transaction(), currentDelivery().messageId)
          if (fails) throw new TypeError('no')
          return 'ok'
        })
        const [id, body] = [newId(), clerkEvent()]
        const request = { headers: { 'content-type': 'application/json', ...svixHeaders(body, { id }) }, body }
        const thrown = await call(request).catch((error) => ({ status: 500, error }))
        assert.equal(thrown.status, 500)
        assert.equal(await work(id), 0)
        fails = false
        const { status } = await eventually(() => call(request), ({ status }) => status !== 409)
        assert.deepEqual([status, await work(id)], [200, 1])
      })
    }

    for (const [what, answer] of [
      ['a 500', async (_req, res) => res.status(500).send('later')],
      ['failed()', async (req, res) => { req.surehook.failed('no such plan'); res.status(422).send('later') }],
      ['a silent drop that is to be retried', async (_req, res) => res.send('ok')],
    ]) {
      await t.test(`an answer of ${what} undoes the work`, async (t) => {
        const options = { steps: { 'user.*': ['create_profile'] }, onSilentDrop: 'retry' }
        let fails = true
        const send = await serving(t, async (req, res) => {
          await insert(transaction(), idOf(req))
          if (fails) return answer(req, res)
          req.surehook.step('create_profile')
          return res.send('ok')
        }, options)
        const id = newId()
        const [status] = await send(id)
        assert.ok(status >= 400, String(status))
        assert.equal(await work(id), 0)
        fails = false
        assert.deepEqual(await send(id), [200, 'ok', false])
        assert.equal(await work(id), 1)
      })
    }

    await t.test('an owner whose message was taken over is fenced: its work is undone, and its answer not sent', async (t) => {
      const owners = []
      const send = await serving(t, async (req, res) => {
        await insert(transaction(), idOf(req))
        await new Promise((resolve) => owners.push(resolve))
        res.send(`the answer of owner ${owners.length}`)
      })
      const id = newId()
      const begun = (number) => eventually(() => owners.length, (length) => length === number)
      const first = send(id)
      await begun(1)
      // As if its lease had lapsed.
      await database.query('DELETE FROM surehook_messages')
      const second = send(id)
      await begun(2)
      owners[0]()
      assert.equal((await first)[0], 409)
      assert.equal(await work(id), 0)
      owners[1]()
      assert.deepEqual(await second, [200, 'the answer of owner 2', false])
      assert.equal(await work(id), 1)
      assert.deepEqual(await send(id), [200, 'the answer of owner 2', true])
    })

    await t.test('a row that somebody else holds is not waited for without end, and the bound is for that statement only', async (t) => {
      const holder = new pg.Client(url)
      await holder.connect()
      t.after(() => holder.end())
      let holds = true
      const send = await serving(t, async (req, res) => {
        await insert(transaction(), idOf(req))
        if (holds) {
          await holder.query('BEGIN')
          await holder.query('SELECT key FROM surehook_messages FOR UPDATE')
        }
        res.send('handled')
      })
      const id = newId()
      const [status] = await send(id)
      assert.deepEqual([status, await work(id)], [503, 0])
      await holder.query('ROLLBACK')
      // As if its lease had lapsed.
      await database.query('DELETE FROM surehook_messages')
      holds = false
      assert.deepEqual(await send(id), [200, 'handled', false])
      if (name !== 'pg') return
      const setting = await store.transaction(async (client) => {
        await client.query("SET LOCAL lock_timeout = '7s'")
        assert.equal(await store.replace(client, 'k', null, Buffer.from('new'), new Date()), true)
        assert.equal(await store.replace(client, 'k', Buffer.from('other'), Buffer.from('new'), new Date()), false)
        assert.equal(await store.replace(client, 'k', Buffer.from('new'), null, null), true)
        return client.query('SHOW lock_timeout')
      })
      assert.equal(setting.rows[0].lock_timeout, '7s')
    })

    await t.test('a transaction that cannot be committed is no success, and the next attempt runs the handler', async (t) => {
      let rows = 2
      const send = await serving(t, async (req, res) => {
        for (let row = 0; row < rows; row++) await insert(transaction(), idOf(req))
        res.setHeader('x-handler', 'yes').send('handled')
      })
      const id = newId()
      const [status, text] = await send(id)
      assert.equal(status, 500)
      assert.match(text, /^nothing of it: .*(once|exclusion|constraint)/i)
      assert.equal(await work(id), 0)
      rows = 1
      assert.deepEqual(await send(id), [200, 'handled', false])
      assert.equal(await work(id), 1)
    })

    await t.test('a statement that failed and was not minded is no success', async (t) => {
      let minds = false
      const send = await serving(t, async (req, res) => {
        await insert(transaction(), idOf(req))
        if (!minds) await insert(transaction(), null).catch(() => {})
        res.send('handled')
      })
      const id = newId()
      const [status] = await send(id)
      // Prisma refuses the null by itself, and the transaction goes on.
      if (name === 'pg') assert.deepEqual([status, await work(id)], [503, 0])
      minds = true
      assert.equal((await send(id))[0], 200)
      assert.equal(await work(id), 1)
    })

    await t.test('of 100 duplicates at once the work of one stands', async (t) => {
      const send = await serving(t, handle)
      const id = newId()
      const answers = await Promise.all(Array.from({ length: 100 }, () => send(id)))
      assert.equal(answers.filter(([status, , replayed]) => status === 201 && !replayed).length, 1)
      for (const [status, text] of answers) assert.ok(status === 409 || (status === 201 && text === `handled ${id}`), `${status} ${text}`)
      assert.equal(await work(id), 1)
    })

    for (const [point, stands] of [
      ['before the handler', false], ['in the handler', false], ['before the commit', false], ['after the commit', true],
    ]) {
      await t.test(`a process that is killed ${point}: its work ${stands ? 'stands and is replayed' : 'does not stand, nor an answer'}`, async () => {
        const id = newId()
        const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, CLIENT: name, DATABASE: url, ID: id, POINT: point }, stdio: ['ignore', 'pipe', 'inherit'] })
        await once(child.stdout, 'data')
        child.kill('SIGKILL')
        await once(child, 'exit')
        await eventually(() => count(`pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()`), (open) => open === 0)
        const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, store })
        const begin = async () => {
          const body = Buffer.from(clerkEvent())
          return endpoint.begin({ method: 'POST', path: '/hook', headers: Object.entries(svixHeaders(body.toString(), { id })).flat(), body }, null)
        }
        const { answer } = await begin()
        assert.equal(await work(id), stands ? 1 : 0)
        if (stands) {
          assert.deepEqual([answer.kind, Buffer.from(answer.body).toString()], ['replay', 'handled'])
          return
        }
        assert.equal(answer.kind, 'busy')
        // As if its lease had lapsed.
        await database.query('DELETE FROM surehook_messages')
        const { delivery } = await begin()
        await delivery.handle(() => insert(delivery.transaction(), id))
        assert.equal(await delivery.finish({ status: 200, headers: [], body: Buffer.from('handled') }), null)
        assert.equal(await work(id), 1)
      })
    }

    await t.test('a connection that is lost in the handler, or between two, fails the delivery and not the process', async (t) => {
      const lose = () => database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
      let loses = true
      const send = await serving(t, async (req, res) => {
        await insert(transaction(), idOf(req))
        if (loses) {
          await lose()
          await pause(50) // for the client to hear of it while no statement waits
        }
        res.status(201).send('handled')
      })
      const id = newId()
      const [status] = await send(id)
      assert.ok(status >= 500, String(status))
      assert.equal(await work(id), 0)
      loses = false
      const again = await eventually(() => send(id), ([status]) => status === 201)
      assert.deepEqual([again[1], await work(id)], ['handled', 1])

      await lose()
      await pause(50)
      const next = newId()
      await eventually(() => send(next), ([status]) => status === 201)
      assert.equal(await work(next), 1)
    })

    await t.test('a handler whose sender has left keeps its transaction, and its work stands', async (t) => {
      let end
      const ended = new Promise((resolve) => { end = resolve })
      const app = express()
      app.post('/hook', withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET, name: newId(), store }), async (req, res) => {
        await insert(transaction(), idOf(req))
        res.once('close', () => { res.send('handled'); end() })
        leave()
      })
      const server = await serve(app)
      t.after(() => server.close())
      const body = clerkEvent()
      const id = newId()
      const headers = { 'content-type': 'application/json', ...svixHeaders(body, { id }) }
      const request = http.request({ port: server.port, path: '/hook', method: 'POST', agent: false, headers })
      const leave = () => request.destroy()
      request.on('error', () => {}).end(body)
      await ended
      const retry = await eventually(() => server.post('/hook', body, headers), ({ status }) => status === 200)
      assert.deepEqual([await retry.text(), retry.headers.get('idempotent-replayed'), await work(id)], ['handled', 'true', 1])
    })

    await t.test('a database that is away is answered for: the handler does not run', async () => {
      const away = connect(url.replace('/postgres', '/nowhere'))
      const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, store: away.store })
      const body = Buffer.from(clerkEvent())
      const { answer } = await endpoint.begin({ method: 'POST', path: '/hook', headers: Object.entries(svixHeaders(body.toString())).flat(), body }, null)
      assert.deepEqual([answer.kind, answer.status], ['unavailable', 503])
      await away.close()
    })

    await t.test('whatever becomes of 40 messages, each stands once in the end', async (t) => {
      const seed = Math.floor(Math.random() * 2 ** 32)
      t.diagnostic(`seed ${seed}`)
      let state = seed
      const chance = (one) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 < one
      const send = await serving(t, async (req, res) => {
        await insert(transaction(), idOf(req))
        if (chance(0.2)) await database.query('DELETE FROM surehook_messages WHERE value NOT IN (SELECT value FROM surehook_messages LIMIT 3)')
        if (chance(0.2)) throw new Error('as it happens')
        if (chance(0.2)) await insert(transaction(), idOf(req))
        res.status(chance(0.2) ? 500 : 200).send('handled')
      })
      const ids = Array.from({ length: 40 }, newId)
      // A 2xx is the end of it for the provider.
      await atATime(4, ids.length, (at) => eventually(() => send(ids[at]), ([status]) => status === 200))
      for (const id of ids) assert.equal(await work(id), 1, `seed ${seed}`)
    })

    await t.test('no line of the log holds the password', () => {
      assert.ok(log.length > 0)
      assert.ok(!log.join('\n').includes('canary') && !log.join('\n').includes(PASSWORD), log.join('\n'))
    })
    // Before the server ends, which is the first thing to happen after the test.
    await close()
    await database.end()
  })
}

test('outside of a handler there is no transaction, nor at an endpoint without a store', async () => {
  const body = Buffer.from(clerkEvent())
  const { delivery } = new Endpoint({ provider: 'clerk', signatureSecret: SECRET }).begin({ method: 'POST', path: '/', headers: Object.entries(svixHeaders(body.toString())).flat(), body }, null)
  assert.throws(() => delivery.transaction(), { name: 'SurehookError', code: 'no_transaction' })
})

/** Asks until an answer will do. */
async function eventually(ask, wanted) {
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    await new Promise(setImmediate)
  }
}
