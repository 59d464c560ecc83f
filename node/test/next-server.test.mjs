// The Next.js example and the quickstart as a user runs them: the packed tarball, `next build`, `next start`.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SUREHOOK, startCollector } from './support/collector.mjs'
import { duplicates, impatient, sendImpatiently } from './support/impatient.mjs'
import { DOCS, EXAMPLES, installed, run, snippets, startServer } from './support/package.mjs'
import { until } from './support/server.mjs'
import { clerkEvent, newId, OTHER_SECRET, SECRET, standardHeaders, svixHeaders } from './support/signing.mjs'

const CLERK = '/api/webhooks/clerk'
let collector

/** A route that counts its runs, shows what the handler saw, and is slow or fails when it is told to. */
const PROBE = `
import { withWebhookMonitoring } from 'surehook/nextjs'
import { trace } from '@opentelemetry/api'
import { currentDelivery } from 'surehook'
import type { NextRequest } from 'next/server'

let runs = 0

export const POST = withWebhookMonitoring(
  { provider: 'clerk', name: 'probe', maxBodyBytes: 5000, requireProcessingMark: true },
  async (req: NextRequest, _context: unknown, delivery) => {
    runs++
    const bytes = Buffer.from(await req.clone().arrayBuffer()).toString('base64')
    const body = await req.json()
    if (body.data.fails) throw new Error('a secret of the database')
    await new Promise((resolve) => setTimeout(resolve, body.data.milliseconds ?? 0))
    const same = currentDelivery() === delivery
    const span = (trace.getActiveSpan() as { name?: string } | undefined)?.name
    delivery.processed()
    const seen = { runs, bytes, type: body.type, tenant: req.nextUrl.searchParams.get('tenant'), same, span }
    return new Response(JSON.stringify(seen), { status: 202, headers: { 'content-type': 'application/x-probe' } })
  },
)

export const GET = () => Response.json({ runs, delivery: currentDelivery() === undefined })
`

/** Counts the runs of each message; a run takes as long as its event says, or some milliseconds. */
const HANG_UP = `
import { withWebhookMonitoring } from 'surehook/nextjs'

const runs = new Map<string, number>()

export const POST = withWebhookMonitoring({ provider: 'clerk', name: 'hang-up' }, async (req, _context, delivery) => {
  const id = delivery.messageId as string
  runs.set(id, (runs.get(id) ?? 0) + 1)
  const { data } = await req.json()
  await new Promise((resolve) => setTimeout(resolve, data.milliseconds ?? 5 + Math.random() * 40))
  return Response.json({ id, run: runs.get(id) })
})

export const GET = () => Response.json(Object.fromEntries(runs))
`

/** OpenTelemetry, as an application of Next sets it up: bundled, while the package loads the API itself. */
const INSTRUMENTATION = `
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { context, trace } = await import('@opentelemetry/api')
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks')
  const { BasicTracerProvider } = await import('@opentelemetry/sdk-trace-base')
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new BasicTracerProvider())
}
`
const { devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const OPENTELEMETRY = ['api', 'context-async-hooks', 'sdk-trace-base'].map((name) => `@opentelemetry/${name}@${devDependencies[`@opentelemetry/${name}`]}`)

before(async () => { collector = await startCollector() })
after(() => collector.stop())

test('the example, the quickstart and a probe', { timeout: 300_000 }, async (t) => {
  const [config, route] = snippets(readFileSync(join(DOCS, 'quickstart-nextjs.md'), 'utf8'), 'ts')
  const directory = await installed(t, {
    from: join(EXAMPLES, 'nextjs'),
    install: OPENTELEMETRY,
    files: {
      'instrumentation.ts': INSTRUMENTATION,
      'next.config.ts': config,
      'app/api/webhooks/quickstart/route.ts': route,
      'app/api/webhooks/probe/route.ts': PROBE,
      'app/api/webhooks/hang-up/route.ts': HANG_UP,
    },
  })
  const database = join(directory, 'test.db')
  const next = join(directory, 'node_modules/next/dist/bin/next')
  const quiet = { NEXT_TELEMETRY_DISABLED: '1', CI: '1' }
  const built = await run(directory, process.execPath, [next, 'build'], quiet)
  assert.equal(built.code, 0, built.output)

  const env = { ...quiet, ...collector.env, CLERK_WEBHOOK_SIGNING_SECRET: SECRET, DATABASE_PATH: database }
  const start = (t) => startServer(t, directory, process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0'], env)
  const server = await start(t)
  const probe = (body, headers) => server.post('/api/webhooks/probe?tenant=7', body, headers)

  await t.test('the addon is among the files that a deployment takes along', () => {
    const trace = readFileSync(join(directory, '.next/server/app/api/webhooks/clerk/route.js.nft.json'), 'utf8')
    assert.match(trace, /surehook\/native\/surehook\.[\w-]+\.node/)
  })

  await t.test('the example writes the user once, and answers the retry with the same bytes', async () => {
    const body = clerkEvent('user.created', { id: 'user_1' })
    const id = newId()
    const first = await server.post(CLERK, body, svixHeaders(body, { id }))
    const retry = await server.post(CLERK, body, svixHeaders(body, { id }))
    assert.equal(first.status, 200, server.output())
    assert.equal(retry.headers.get('content-type'), first.headers.get('content-type'))
    assert.equal(retry.headers.get('idempotent-replayed'), 'true')
    assert.equal(await retry.text(), await first.text())
    const Database = createRequire(join(directory, 'x.js'))('libsql')
    assert.deepEqual(new Database(database).prepare('SELECT id, email FROM users').all(), [{ id: 'user_1', email: 'zoë@example.com' }])
  })

  await t.test('the handler reads the exact body of a NextRequest', async () => {
    const body = clerkEvent('user.created', { name: 'é\u2028' })
    const response = await probe(body, standardHeaders(body))
    assert.equal(response.status, 202)
    const { runs: _runs, ...seen } = await response.json()
    assert.deepEqual(seen, { bytes: Buffer.from(body).toString('base64'), type: 'user.created', tenant: '7', same: true, span: 'process clerk' })
  })

  await t.test('200 duplicates at once run the handler once', async () => {
    const body = clerkEvent('user.created', { milliseconds: 300 })
    const id = newId()
    const before = (await (await fetch(`${server.url}/api/webhooks/probe`)).json()).runs
    const responses = await Promise.all(Array.from({ length: 200 }, () => probe(body, svixHeaders(body, { id }))))
    const handled = await (await fetch(`${server.url}/api/webhooks/probe`)).json()
    assert.deepEqual(handled, { runs: before + 1, delivery: true })
    const answers = responses.filter(({ status }) => status === 202)
    assert.equal(answers.filter((response) => response.headers.get('idempotent-replayed') === null).length, 1)
    assert.ok(responses.every(({ status }) => status === 202 || status === 409))
  })

  const hangUps = '/api/webhooks/hang-up'
  const { port } = new URL(server.url)
  const runsOf = async () => (await fetch(server.url + hangUps)).json()

  await t.test('a sender that hangs up ends neither the handler nor its claim', async () => {
    const body = clerkEvent('user.created', { milliseconds: 400 })
    const id = newId()
    const headers = svixHeaders(body, { id })
    await sendImpatiently(port, [{ path: hangUps, body, headers, patience: [150] }])
    assert.equal((await server.post(hangUps, body, headers)).status, 409)
    const retry = await until(async () => {
      const response = await server.post(hangUps, body, headers)
      return response.status === 200 && response
    }, 'the stored answer')
    assert.deepEqual(await retry.json(), { id, run: 1 })
    assert.equal(retry.headers.get('idempotent-replayed'), 'true')
    const attempts = await until(async () => {
      const stored = await collector.attempts(id)
      return stored.some(({ outcome }) => outcome === 'processed') && stored
    }, 'the record')
    const { status, sender_left: left } = attempts.find(({ outcome }) => outcome === 'processed')
    assert.deepEqual([status, left], [200, true])
  })

  await t.test('of 300 messages whose senders hang up at random, each is handled once', async () => {
    const { senders, seed } = impatient(300, hangUps)
    const answers = await sendImpatiently(port, senders, 50)
    assert.deepEqual(answers.map((answer) => answer?.body), senders.map(({ id }) => JSON.stringify({ id, run: 1 })), `seed ${seed}`)
    const runs = await runsOf()
    assert.deepEqual(senders.filter(({ id }) => runs[id] !== 1), [], `seed ${seed}`)
  })

  await t.test('of 10,000 duplicates, 200 at a time, half of whose senders hang up, one is handled', async () => {
    const { senders, seed } = duplicates(10_000, hangUps)
    const id = senders[0].headers['svix-id']
    const got = (await sendImpatiently(port, senders)).filter((answer) => answer !== null)
    assert.equal((await runsOf())[id], 1, `seed ${seed}`)
    assert.ok(got.every(({ status, body }) => status === 409 || (status === 200 && body === JSON.stringify({ id, run: 1 }))), `seed ${seed}`)
    assert.ok(got.filter(({ replayed }) => replayed).length > 500, `seed ${seed}`)
  })

  await t.test('a refused request learns nothing, and the log has the reason', async () => {
    const body = clerkEvent()
    for (const headers of [{}, svixHeaders(body, { secret: OTHER_SECRET }), { ...svixHeaders(body), 'svix-timestamp': 'x' }]) {
      const response = await probe(body, headers)
      assert.equal(response.status, 401)
      assert.equal(await response.text(), '{"error":"invalid webhook signature"}')
    }
    for (const code of ['missing_header', 'signature_mismatch', 'malformed_timestamp']) assert.ok(server.output().includes(code))
  })

  await t.test('a body over the limit is a 413, announced or not', async () => {
    const body = 'x'.repeat(5001)
    assert.equal((await probe(body, svixHeaders(body))).status, 413)
    const chunks = new Blob([body]).stream()
    const chunked = await fetch(`${server.url}/api/webhooks/probe`, { method: 'POST', body: chunks, headers: svixHeaders(body), duplex: 'half' })
    assert.equal(chunked.status, 413)
  })

  await t.test('a handler that throws is a 500 without its message or stack, and its retry runs it again', async () => {
    const body = clerkEvent('user.created', { fails: true })
    const id = newId()
    for (let i = 0; i < 2; i++) {
      const response = await probe(body, svixHeaders(body, { id }))
      assert.equal(response.status, 500)
      assert.doesNotMatch(await response.text(), /secret of the database|node_modules|at /)
    }
  })

  await t.test('other routes are untouched', async () => {
    assert.match(await (await fetch(server.url)).text(), /Webhooks go to/)
  })

  await t.test('the quickstart takes what `surehook send` sends', async () => {
    const sent = await run(directory, SUREHOOK, ['send', `${server.url}/api/webhooks/quickstart`, '--event', 'user.created', '--duplicate', '--bad-signature'], env)
    assert.equal(sent.code, 0, sent.output + server.output())
  })

  await t.test('100 of 100 events reach the collector when the server ends right after the last one', async (t) => {
    const last = await start(t)
    const messages = Array.from({ length: 100 }, () => ({ id: newId(), body: clerkEvent('session.created', { user_id: 'user_1' }) }))
    const responses = await Promise.all(messages.map(({ id, body }) => last.post('/api/webhooks/quickstart', body, svixHeaders(body, { id }))))
    assert.ok(responses.every(({ status }) => status === 200))
    await last.stop()
    const stored = new Set((await collector.messages('&event_type=session.created')).map(({ message_id }) => message_id))
    assert.deepEqual(messages.filter(({ id }) => !stored.has(id)), [])
    assert.equal(stored.size, 100)
  })
})
