import { init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/nextjs'

import { applyEvent } from '../../../../lib/users'

init({ apiKey: process.env.SUREHOOK_API_KEY })

export const POST = withWebhookMonitoring(
  {
    provider: 'clerk',
    signatureSecret: process.env.CLERK_WEBHOOK_SIGNING_SECRET,
    eventTypeField: 'type',
    idempotencyKey: (_req, _body, headers) => headers['svix-id'],
  },
  async (req) => {
    applyEvent(await req.json())
    return Response.json({ received: true })
  },
)
