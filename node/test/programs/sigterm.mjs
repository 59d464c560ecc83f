// An Express application that ends as docs/telemetry.md says: the page's own lines are STOP.
import express from 'express'
import { init } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { SECRET } from '../support/signing.mjs'

init()
const app = express()
app.post('/hook', withWebhookMonitoring({ provider: 'clerk', signatureSecret: SECRET }), (_req, res) => {
  console.log('handling')
  setTimeout(() => res.send('done'), 300)
})
const server = app.listen(0, '127.0.0.1', () => console.log(`on ${server.address().port}`))
new Function('server', 'process', 'setTimeout', process.env.STOP)(server, process, setTimeout)
