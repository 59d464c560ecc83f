// A secret of the user's must never be seen again: not in a log, not in an error, not in what inspect or JSON show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Endpoint, init, verify, Webhook } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { clerkEvent, OTHER_SECRET, svixHeaders } from './support/signing.mjs'

const CANARY = 'whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5'
const KEY = 'shk_canary_key_0123456789'
const needles = [CANARY.slice('whsec_'.length), 'canary-canary', KEY.slice('shk_'.length)]

const seen = []
for (const method of ['log', 'info', 'warn', 'error', 'debug']) {
  console[method] = (...args) => seen.push(inspect(args, { depth: 20, showHidden: true }))
}

function show(value) {
  seen.push(inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value) ?? '', String(value?.stack ?? value))
}

function attempt(call) {
  try {
    show(call())
  } catch (error) {
    show(error)
  }
}

test('no secret is shown anywhere', () => {
  const body = clerkEvent()
  attempt(() => init({ apiKey: KEY, endpoint: 'not a URL' }))
  attempt(() => init({ apiKey: KEY, endpoint: 'http://127.0.0.1:1' }))
  for (const secret of [CANARY, ` ${CANARY}`, `"${CANARY}"`, `${CANARY}!`, CANARY.slice(0, 14), [CANARY, null], { CANARY }]) {
    attempt(() => new Webhook(secret))
    attempt(() => new Endpoint({ provider: 'clerk', signatureSecret: secret }))
    attempt(() => new Endpoint({ provider: CANARY.slice(0, 3), signatureSecret: secret }))
    attempt(() => withWebhookMonitoring({ provider: 'clerk', signatureSecret: secret, rejectStatus: 200 }))
    attempt(() => verify({ provider: 'clerk', secret, body, headers: svixHeaders(body, { secret: OTHER_SECRET }) }))
  }
  attempt(() => new Webhook(CANARY).verify(body, svixHeaders(body, { secret: OTHER_SECRET })))
  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: CANARY })
  const begin = (secret) => endpoint.begin({ method: 'POST', path: '/', headers: Object.entries(svixHeaders(body, { secret })).flat(), body: Buffer.from(body) })
  attempt(() => begin(OTHER_SECRET))
  const { delivery } = begin(CANARY)
  show(delivery)
  delivery.fail(new Error(`the connection with ${CANARY} failed`))
  const all = seen.join('\n')
  for (const needle of needles) assert.ok(!all.includes(needle), all.slice(Math.max(0, all.indexOf(needle) - 300), all.indexOf(needle) + 100))
  assert.ok(seen.length > 50)
})
