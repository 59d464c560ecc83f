import express from 'express'
import { init } from 'surehook'
import { webhookErrors, withWebhookMonitoring } from 'surehook/express'

import { applyEvent } from './users.mjs'

init({ apiKey: process.env.SUREHOOK_API_KEY })

const app = express()

app.post(
  '/api/webhooks/clerk',
  withWebhookMonitoring({
    provider: 'clerk',
    signatureSecret: process.env.CLERK_WEBHOOK_SIGNING_SECRET,
    eventTypeField: 'type',
    idempotencyKey: (_req, _body, headers) => headers['svix-id'],
  }),
  (req, res) => {
    applyEvent(req.body)
    res.json({ received: true })
  },
)

app.get('/healthz', (_req, res) => {
  res.json({ status: 'ok' })
})

app.use(webhookErrors())

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
