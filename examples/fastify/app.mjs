import Fastify from 'fastify'
import { init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/fastify'

import { applyEvent } from './users.mjs'

init({ apiKey: process.env.SUREHOOK_API_KEY })

const app = Fastify()

app.post(
  '/api/webhooks/clerk',
  withWebhookMonitoring({
    provider: 'clerk',
    signatureSecret: process.env.CLERK_WEBHOOK_SIGNING_SECRET,
    eventTypeField: 'type',
    idempotencyKey: (_request, _body, headers) => headers['svix-id'],
  }),
  async (request) => {
    applyEvent(request.body)
    return { received: true }
  },
)

app.get('/healthz', async () => ({ status: 'ok' }))

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}`)

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
