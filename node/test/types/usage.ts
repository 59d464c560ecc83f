// Compiled, never run: the types as the users of the quickstarts meet them.
import type { Request, Response as ExpressResponse } from 'express'
import express from 'express'
import { currentDelivery, init, verify, Webhook, WebhookVerificationError, type ReasonCode } from 'surehook'
import { webhookErrors, withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withSurehook, withWebhookMonitoring as guardNext } from 'surehook/nextjs'

init({ apiKey: process.env['SUREHOOK_API_KEY'], logger: console })

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

// @ts-expect-error -- the provider is not optional
guardExpress({ signatureSecret: 'whsec_…' })
// @ts-expect-error -- nor can a secret be a number
guardExpress({ provider: 'clerk', signatureSecret: 7 })
// @ts-expect-error -- a misspelt option is seen
guardExpress({ provider: 'clerk', tolerance: 300 })
