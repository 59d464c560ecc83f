// A secret of the user's must never be seen again: not in a log, not in an error, not in what inspect or JSON show, not on
// its way to the collector.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { Endpoint, flush, init, verify, Webhook } from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import { clerkEvent, OTHER_SECRET, svixHeaders } from './support/signing.mjs'
import { wrappers } from './support/wrappers.mjs'

const CANARY = 'whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5'
const KEY = 'shk_canary_key_0123456789'
const TOKEN = 'canary-token-of-the-users-own'
const PLAIN = 'canary-canary plain text of a scheme'
const needles = [CANARY.slice('whsec_'.length), 'canary-canary', KEY.slice('shk_'.length), 'canary-token', Buffer.from(CANARY).toString('base64').slice(8, 40)]

const acme = { provider: 'acme', secret: 'utf8', algorithm: 'hmac_sha256', signature: { header: 'x-acme' }, content: '{body}' }
const body = clerkEvent()
const seen = []
for (const method of ['log', 'info', 'warn', 'error', 'debug']) {
  console[method] = (...args) => seen.push(inspect(args, { depth: 20, showHidden: true }))
}

/** Takes what is sent to the collector, and answers that all of it is stored. */
const sent = []
const collector = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  sent.push(gunzipSync(Buffer.concat(chunks)).toString())
  const accepted = JSON.parse(sent.at(-1)).attempts.length
  response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ accepted, duplicates: 0, rejected: [] }))
})

before(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
})
after(() => {
  collector.close()
  collector.closeAllConnections()
})

function show(value) {
  seen.push(inspect(value, { depth: 20, showHidden: true, getters: true }), JSON.stringify(value) ?? '', String(value?.stack ?? value))
  seen.push(inspect(value?.cause), inspect(value?.details, { depth: 20 }))
}

async function attempt(call) {
  try {
    show(await call())
  } catch (error) {
    show(error)
  }
}

function assertUnseen(texts) {
  const all = texts.join('\n')
  for (const needle of needles) assert.ok(!all.includes(needle), all.slice(Math.max(0, all.indexOf(needle) - 300), all.indexOf(needle) + 100))
}

test('no secret is shown anywhere', async (t) => {
  await attempt(() => init({ apiKey: KEY, endpoint: 'not a URL' }))
  await attempt(() => init({ apiKey: { KEY } }))
  await attempt(() => init({ apiKey: `${KEY}\n` }))
  init({ apiKey: KEY, endpoint: `http://127.0.0.1:${collector.address().port}` })
  for (const secret of [CANARY, ` ${CANARY}`, `"${CANARY}"`, `${CANARY}!`, CANARY.slice(0, 14), [CANARY, null], { CANARY }, Buffer.from(CANARY), Buffer.from(CANARY).toString('base64')]) {
    await attempt(() => new Webhook(secret))
    await attempt(() => new Endpoint({ provider: 'clerk', signatureSecret: secret }))
    await attempt(() => new Endpoint({ provider: CANARY.slice(0, 3), signatureSecret: secret }))
    await attempt(() => withWebhookMonitoring({ provider: 'clerk', signatureSecret: secret, rejectStatus: 200 }))
    await attempt(() => verify({ provider: 'clerk', secret, body, headers: svixHeaders(body, { secret: OTHER_SECRET }) }))
    await attempt(() => new Webhook(secret).verify(body, svixHeaders(body, { secret: OTHER_SECRET })))
    for (const member of ['secret', 'secretEnv', 'encoding', 'algorithm', 'maxBodyBytes', 'timestamp', 'signature']) {
      await attempt(() => new Endpoint({ scheme: { ...acme, [member]: secret }, signatureSecret: secret }))
    }
    for (const option of ['url', 'verifyToken', 'toleranceSeconds', 'verification', 'signatureVerifier', 'steps', 'ignore', 'dedup']) {
      await attempt(() => new Endpoint({ provider: 'clerk', signatureSecret: CANARY, [option]: secret }))
    }
  }
  await attempt(() => verify({ provider: 'clerk', secret: CANARY, body, headers: svixHeaders(body, { at: new Date(0), secret: CANARY }) }))
  await attempt(() => verify({ scheme: acme, secret: PLAIN, body, headers: { 'x-acme': '00'.repeat(32) } }))

  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: CANARY, name: 'canary' })
  show(endpoint)
  const begin = (secret) => endpoint.begin({ method: 'POST', path: `/?key=${KEY}`, headers: Object.entries(svixHeaders(body, { secret })).flat(), body: Buffer.from(body) })
  await attempt(() => begin(OTHER_SECRET))
  const { delivery } = begin(CANARY)
  show(delivery)
  delivery.step(`charged with ${CANARY}`)
  delivery.fail(new Error(`the connection with ${CANARY} failed`))

  for (const serve of Object.values(wrappers)) {
    const clerk = await serve(t, { provider: 'clerk', signatureSecret: CANARY })
    for (const headers of [svixHeaders(body, { secret: OTHER_SECRET }), svixHeaders(body, { secret: CANARY }), { authorization: `Bearer ${KEY}`, 'x-secret': CANARY }]) show(await clerk({ headers, body, path: `/hook?token=${TOKEN}` }))
    const meta = await serve(t, { provider: 'meta', signatureSecret: PLAIN, verifyToken: TOKEN })
    for (const token of [TOKEN, 'another']) show(await meta({ method: 'GET', path: `/hook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${token}` }))
    const own = await serve(t, { provider: 'own', signatureVerifier: async () => { throw new Error(`${CANARY} is not right`) } })
    show(await own({ body }))
  }
  assert.equal(await flush(), true)
  assert.ok(seen.length > 500 && sent.join('').includes('"signature_mismatch"') && sent.join('').includes('"verifier_error"'))
  assertUnseen(seen)
  assertUnseen(sent)
})
