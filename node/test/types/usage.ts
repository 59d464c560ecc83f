// Compiled, never run: the types as the users of the quickstarts meet them.
import type { Request, Response as ExpressResponse } from 'express'
import express from 'express'
import fastify from 'fastify'
import { Pool, type PoolClient } from 'pg'
import { PrismaClient, type Prisma } from '@prisma/client'
import type { PrismaPg } from '@prisma/adapter-pg'
import { currentDelivery, deferred, Endpoint, init, verify, Webhook, WebhookVerificationError, type Attempt, type Finding, type ReasonCode, type TransactionStore, type WebhookScheme } from 'surehook'
import { webhookErrors, withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { withSurehook, withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { pgStore } from 'surehook/pg'
import { prismaStore } from 'surehook/prisma'
import { flushAfter, withFlush } from 'surehook/serverless'
import { capture, freeze, secret, signed } from 'surehook/testing'

init({ apiKey: process.env['SUREHOOK_API_KEY'], logger: console })
init({ spoolDir: '/var/spool/app', spoolMaxAttempts: 7, spoolMaxBytes: 7, caFile: 'ca.pem', beforeSend: (attempt) => (attempt.outcome === 'ignored' ? null : { ...attempt, metadata: { region: 'eu' } }) })

const app = express()
const options = { provider: 'clerk', signatureSecret: process.env['CLERK_WEBHOOK_SIGNING_SECRET'] }
app.post('/', guardExpress(options), (req, res) => {
  req.surehook?.step('create_profile')
  res.json(req.body)
})
app.post('/', guardExpress(options, async (req: Request, res: ExpressResponse, delivery) => {
  delivery.processed()
  await Promise.resolve()
  res.json(req.body)
}))
app.use(webhookErrors())

class NextRequest extends globalThis.Request {
  nextUrl = new URL(this.url)
}
export const POST: (request: NextRequest, context: { params: Promise<object> }) => Promise<Response> = guardNext(
  { ...options, idempotencyKey: (req: NextRequest, _body, headers) => req.nextUrl.search + (headers['svix-id'] ?? '') },
  async (req) => Response.json(await req.json()),
)
export default withSurehook({ reactStrictMode: true })

export function codes(secret: string | undefined, body: Buffer, headers: Headers): ReasonCode | null {
  try {
    new Webhook(secret).verify(body, headers)
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code
  }
  const result = verify({ provider: 'clerk', secret, body, headers: [['svix-id', 'x']] })
  currentDelivery()?.failed('no such plan')
  return result.ok ? null : result.code
}

const acme: WebhookScheme = {
  provider: 'acme',
  secretEnv: ['ACME_WEBHOOK_SECRET'],
  secret: 'utf8',
  algorithm: 'hmac_sha256',
  signature: { header: 'X-Acme-Signature', prefix: 'sha256=' },
  content: '{timestamp}.{body}',
  timestamp: { header: 'X-Acme-Time', unit: 'seconds', toleranceSeconds: null },
  messageId: { header: 'X-Acme-Id' },
  eventType: { body: ['type'] },
  handshake: { kind: 'echo', when: { type: 'url_verification' }, field: 'challenge' },
}
app.all('/acme', guardExpress({ scheme: acme, signatureSecret: process.env['ACME_WEBHOOK_SECRET'] }), (_req, res) => { res.end() })
app.post('/own', guardExpress({ provider: 'own', signatureVerifier: async (req, body, headers) => req.url !== '' && body.length > 0 && Promise.resolve(headers['x-id'] ?? false) }))

export const GET = guardNext({ provider: 'meta', verifyToken: 'mine', signatureVerifier: (req: NextRequest) => req.nextUrl.search }, () => new Response())

export async function found(body: ArrayBuffer, headers: Map<string, Buffer>): Promise<Finding | null> {
  const decision = await new Endpoint({ provider: 'clerk' }).begin({ method: 'POST', path: '/', headers: [], body: 'unavailable' }, null)
  const result = verify({ scheme: acme, secret: ['a', 'b'], body, headers, method: 'PUT', url: 'https://example.com/?a=1', now: new Date() })
  if (result.ok) return result.timestamp === null || decision.delivery ? null : 'clock_skew'
  return result.diagnosis?.certainty === 'proved' ? result.diagnosis.finding : null
}

fastify().post('/', guardFastify({ ...options, dedup: 'redis://host', onInFlight: 'wait', onStoreError: 'process', idempotencyKey: (req) => req.id }), async (request) => {
  request.surehook?.step('create_profile')
  return { body: request.body, raw: request.rawBody?.length }
})
const inPostgres: TransactionStore = pgStore(new Pool())
app.post('/', guardExpress({ ...options, store: inPostgres }, async (_req, _res, delivery) => delivery.transaction<PoolClient>().query('SELECT 1')))
export const withPrisma = (adapter: PrismaPg) => guardNext({ ...options, store: prismaStore(new PrismaClient({ adapter }), { timeout: 15_000 }) }, async (_req, _context, delivery) => {
  await delivery.transaction<Prisma.TransactionClient>().$executeRaw`SELECT 1`
  return new Response()
})

export async function work(token: string): Promise<number> {
  const delivery = currentDelivery()
  const length: number = (await delivery?.run('profile', async () => Promise.resolve('text')))?.length ?? 0
  const at: number | undefined = delivery?.run('at once', () => 7)
  delivery?.failed('no such plan', { plan: 7n, at: new Date() })
  const again: string | undefined = delivery?.defer({ deadlineMs: 60_000 })
  return length + (at ?? 0) + (await deferred(again ?? token).process(async () => Promise.resolve(7)))
}

export const lambda: (event: { body: string }, context: object) => Promise<{ statusCode: number }> = withFlush(async (_event: { body: string }, _context: object) => Promise.resolve({ statusCode: 200 }), { timeoutMs: 500 })
flushAfter((promise) => { void promise }, { timeoutMs: 500 })

export function tested(): [Attempt, readonly Attempt[], globalThis.Request] {
  using captured = capture()
  using clock = freeze(new Date())
  clock.tick(1000)
  const request = signed('clerk', { type: 'user.created' }, { secret: secret('clerk'), messageId: 'msg_1', timestamp: 0, headers: new Headers() })
  guardExpress({ ...options, captureBody: ['data.email_addresses'], tracing: 'parent' })
  guardExpress({ ...options, captureBody: { keep: ['data'], remove: [] } })
  return [captured.one(), captured.attempts, new globalThis.Request(request.url, request)]
}

// @ts-expect-error -- a function that answers later is none
init({ beforeSend: async (attempt) => Promise.resolve(attempt) })
// @ts-expect-error -- work is deferred for some time
currentDelivery()?.defer({})
// @ts-expect-error -- a trace is linked, continued, or none
guardExpress({ ...options, tracing: 'on' })
// @ts-expect-error -- what is done while another attempt runs is one of two words
guardExpress({ provider: 'clerk', onInFlight: 'busy' })
// @ts-expect-error -- a provider or a scheme of one's own, not both
guardExpress({ provider: 'clerk', scheme: acme })
// @ts-expect-error -- a verifier answers true, false or a name
guardExpress({ provider: 'own', signatureVerifier: () => ({ ok: true }) })
// @ts-expect-error -- a secret is no part of a scheme
guardExpress({ scheme: { ...acme, secret: 'whsec_…' } })
// @ts-expect-error -- the provider is not optional
guardExpress({ signatureSecret: 'whsec_…' })
// @ts-expect-error -- nor can a secret be a number
guardExpress({ provider: 'clerk', signatureSecret: 7 })
// @ts-expect-error -- a misspelt option is seen
guardExpress({ provider: 'clerk', tolerance: 300 })
