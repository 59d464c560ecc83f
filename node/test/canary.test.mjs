// A secret of the user's must never be seen again: not in a log, not in an error, not in what inspect or JSON show, not on
// its way to the collector.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { currentDelivery, Endpoint, flush, init, verify, Webhook } from 'surehook'
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

/** A credential of many kinds that looks like the real one; none has a part that is not its own. */
const kinds = {
  webhook: (n) => `whsec_${Buffer.from(`canary-canary-${n}-canary-canary`).toString('base64')}`,
  stripe: (n) => `sk_live_canary${n}canarycanarycanary`,
  github: (n) => `ghp_canary${String(n).padStart(3, '0')}canarycanarycanarycanary00`,
  ours: (n) => `shk_canary${n}canarycanarycanary`,
  jwt: (n) => [{ alg: 'HS256' }, { sub: `canary-canary-${n}` }, 'canary-canary-signature'].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.'),
  bearer: (n) => `Bearer canary${n}canarycanarycanarycanary`,
  basic: (n) => `Basic ${Buffer.from(`user:canary-canary-${n}`).toString('base64')}`,
  url: (n) => `postgres://user:canary${n}canary@db.example.com/app`,
  cookie: (n) => `Cookie: session=canary${n}canarycanary`,
  assignment: (n) => `password=canary${n}canarycanary`,
}

/** The kinds that every language knows, with their places filled: the text, and the longest of what was filled in. */
const contract = JSON.parse(readFileSync(new URL('../../tests/contract/redaction.json', import.meta.url), 'utf8')).credentials.map(({ text }, kind) => {
  const parts = []
  const filled = text.replace(/\{(\w+):(\d+)\}/g, (_, alphabet, length) => {
    parts.push(Array.from({ length }, (_, at) => characters(alphabet)[createHash('sha256').update(`${kind} ${parts.length} ${at}`).digest()[0] % characters(alphabet).length]).join(''))
    return parts.at(-1)
  })
  return { text: filled, secret: parts.reduce((longest, part) => (part.length > longest.length ? part : longest)) }
})

function characters(alphabet) {
  const all = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/'
  const part = { digits: all.slice(0, 10), hex: all.slice(0, 16), lower: all.slice(0, 36), letters: all.slice(10, 62), UPPER: all.slice(0, 36).toUpperCase(), base64: all }
  return part[alphabet] ?? all.slice(0, 62)
}

/** Puts them all wherever an application or a sender could. */
async function credentialsEverywhere(t) {
  const sent = Object.values(kinds).flatMap((make, kind) => Array.from({ length: 20 }, (_, n) => make(kind * 20 + n)))
  assert.equal(sent.length, 200)
  sent.push(...contract.map(({ text }) => text))
  assert.ok(sent.length >= 320)
  const options = { provider: 'clerk', signatureSecret: CANARY, captureBody: true }
  for (const serve of Object.values(wrappers)) {
    let next = 0
    const send = await serve(t, options, () => {
      const delivery = currentDelivery()
      const canary = sent[next]
      delivery.step(`charged with ${canary}`)
      delivery.run(`as ${canary}`, async () => { throw new Error(`no ${canary}`) }).catch(() => {})
      if (next % 3 === 0) delivery.failed(`not with ${canary}`, { canary, list: [canary], [canary]: 1, text: `it was ${canary}, ${canary}`, error: new Error(canary) })
      if (next % 3 === 1) throw new TypeError(`no: ${canary}`)
      return JSON.stringify({ secret: canary, told: canary })
    })
    for (next = 0; next < sent.length; next++) {
      const canary = sent[next]
      const body = JSON.stringify({ type: 'user.created', data: { id: `user_${next}`, note: canary, password: canary, list: [{ note: `it is ${canary}` }] } })
      const headers = { ...svixHeaders(body, { secret: CANARY }), ...Object.fromEntries(['authorization', 'cookie', 'x-api-key', 'user-agent', 'x-forwarded-for'].map((name) => [name, canary.replaceAll('\n', ' ')])), 'content-type': 'application/json' }
      await send({ headers, body, path: `/hook?token=${encodeURIComponent(canary)}&a=${encodeURIComponent(canary)}` }).catch(() => undefined)
    }
  }
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
  await credentialsEverywhere(t)
  assert.equal(await flush(), true)
  assert.ok(seen.length > 500 && sent.join('').includes('"signature_mismatch"') && sent.join('').includes('"verifier_error"'))
  assertUnseen(seen)
  assertUnseen(sent)
  assert.ok(sent.join('').includes('"bodies"') && sent.join('').includes('"metadata"') && sent.join('').includes('"steps"'))
  assert.ok(sent.join('').match(/charged with [^"]*\[redacted\]/g).length >= 600)
  assert.doesNotMatch(sent.join(''), /canary\d+canary|canary-canary/)
  // A few digits are found anywhere.
  for (const { text, secret } of contract) if (secret.length >= 8) assert.ok(!sent.join('').includes(secret), text)
  for (const needle of ['canary-canary-', 'user:canary']) assert.ok(![0, 1, 2].some((offset) => sent.join('').includes(Buffer.from(' '.repeat(offset) + needle).toString('base64').slice(offset ? 4 : 0, -4))), needle)
})
