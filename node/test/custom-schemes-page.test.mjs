// The JavaScript of docs/custom-schemes.md, run as it stands.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import express from 'express'
import * as surehook from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { serve } from './support/server.mjs'
import { hexHmac } from './support/wrappers.mjs'

const quiet = () => {}
surehook.init({ logger: { info: quiet, warn: quiet, error: quiet } })

test('the page runs, and its endpoints do what it says', async (t) => {
  const page = readFileSync(new URL('../../docs/custom-schemes.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/^```js\n([^]*?)^```/gm)].map(([, text]) => text.replace(/^import .*$/gm, '').replace(/^export /gm, ''))
  assert.equal(blocks.length, 4)
  const secret = 'a secret of acme that is long enough'
  Object.assign(process.env, { ACME_WEBHOOK_SECRET: secret, META_APP_SECRET: secret, META_VERIFY_TOKEN: 'mine' })
  const asked = []
  const isSignedByUs = async (body, signature) => { asked.push(body.toString()); return signature === 'right' }
  const run = new Function('express', 'withWebhookMonitoring', 'verify', 'isSignedByUs', `${blocks.join('\n')}\nreturn { app, explain }`)
  const { app, explain } = run(express, withWebhookMonitoring, surehook.verify, isSignedByUs)
  const server = await serve(app)
  t.after(() => server.close())

  const body = JSON.stringify({ id: 'evt_1', type: 'order.paid' })
  const time = String(Math.floor(Date.now() / 1000))
  const headers = { 'x-acme-time': time, 'x-acme-signature': `sha256=${hexHmac(secret, `${time}.${body}`)}` }
  assert.deepEqual(await (await server.post('/webhooks/acme', body, headers)).json(), { received: 'evt_1' })
  assert.equal((await server.post('/webhooks/acme', `${body} `, headers)).status, 401)
  assert.deepEqual([explain(body, headers), explain('{}', {})], ['evt_1', 'A header that carries the signature, its time or the message id is missing.'])

  assert.equal((await server.post('/webhooks/own', body, { 'x-signature': 'right', 'x-message-id': 'msg_1' })).status, 200)
  assert.equal((await server.post('/webhooks/own', body, { 'x-signature': 'wrong' })).status, 401)
  assert.deepEqual(asked, [body, body])
  const asksMeta = await fetch(`${server.url}/webhooks/meta?hub.mode=subscribe&hub.challenge=7&hub.verify_token=mine`)
  assert.equal(await asksMeta.text(), '7')
})
