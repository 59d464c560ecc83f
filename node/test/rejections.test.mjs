// What a sender is told of a refusal is always the same, and nothing is looked at that is over a limit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, init, REASON_CODES } from 'surehook'
import { clerkEvent, newId, OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'
import { wrappers } from './support/wrappers.mjs'

const log = []
init({ logger: { info: (line) => log.push(line), warn: (line) => log.push(line), error: (line) => log.push(line) } })

const clerk = { provider: 'clerk', signatureSecret: SECRET }
const body = clerkEvent()
const good = () => svixHeaders(body)
const at = (milliseconds) => svixHeaders(body, { at: new Date(Date.now() + milliseconds) })

/** A request for each reason that a sender can cause, and for the two that the application causes. */
const refused = {
  missing_header: () => ({ headers: {} }),
  duplicate_header: () => ({ headers: [...Object.entries(good()), ['svix-id', newId()]] }),
  mixed_header_family: () => ({ headers: { ...good(), 'webhook-id': newId() } }),
  malformed_message_id: () => ({ headers: { ...good(), 'svix-id': 'a.b' } }),
  malformed_timestamp: () => ({ headers: { ...good(), 'svix-timestamp': '12e3' } }),
  timestamp_too_old: () => ({ headers: at(-400_000) }),
  timestamp_too_new: () => ({ headers: at(400_000) }),
  malformed_signature: () => ({ headers: { ...good(), 'svix-signature': 'v1,' } }),
  too_many_signatures: () => ({ headers: { ...good(), 'svix-signature': Array(65).fill(good()['svix-signature']).join(' ') } }),
  no_supported_version: () => ({ headers: { ...good(), 'svix-signature': `v1a,${Buffer.alloc(64).toString('base64')}` } }),
  signature_mismatch: () => ({ headers: svixHeaders(body, { secret: OTHER_SECRET }) }),
  replayed: () => ({ headers: good(), options: { dedup: 'off' }, times: 2 }),
  verifier_error: () => ({ headers: {}, options: { signatureSecret: undefined, signatureVerifier: () => false } }),
}

for (const [framework, serve] of Object.entries(wrappers)) {
  test(`${framework}: the answers of all reasons are equal, byte for byte`, async (t) => {
    const answers = new Map()
    for (const [code, make] of Object.entries(refused)) {
      // Next hands over headers that were joined before, so a repeated one is not seen as such.
      if (framework === 'nextjs' && code === 'duplicate_header') continue
      const { options, times = 1, headers } = make()
      const call = await serve(t, { ...clerk, ...options })
      let answer
      log.length = 0
      for (let i = 0; i < times; i++) answer = await call({ headers, body })
      assert.ok(log.some((line) => line.includes(` ${code}: `)), `${code}: ${log.join('\n')}`)
      const { date: _, ...sent } = answer.headers
      answers.set(JSON.stringify([answer.status, sent, answer.text]), code)
    }
    assert.equal(answers.size, 1, [...answers.keys()].join('\n'))
    assert.ok([...answers.keys()][0].includes('{\\"error\\":\\"invalid webhook signature\\"}'))
  })

  test(`${framework}: what is over a limit is refused before the signature is looked at`, async (t) => {
    const call = await serve(t, { ...clerk, maxBodyBytes: 100 })
    const long = 'x'.repeat(101)
    for (const headers of [svixHeaders(long), svixHeaders(long, { secret: OTHER_SECRET }), {}]) {
      log.length = 0
      const { status, text } = await call({ headers, body: long })
      assert.deepEqual([status, text], [413, '{"error":"payload too large"}'])
      assert.ok(log.some((line) => line.includes('body_too_large')) && !log.some((line) => line.includes('mismatch')))
    }
    log.length = 0
    const short = '{}'
    const headers = { ...svixHeaders(short), 'svix-signature': `${svixHeaders(short)['svix-signature']} ${'v1,'.padEnd(8192, 'A')}` }
    assert.equal((await call({ headers, body: short })).status, 401)
    assert.ok(log.some((line) => line.includes('too_many_signatures')))
  })

  test(`${framework}: the line of the log names the code, the cause, what mends it and the page`, async (t) => {
    const call = await serve(t, { ...clerk, name: `logged-${framework}` })
    // A process looks for the cause of five refusals a second, which other cases may have had. An endpoint tells of five without.
    for (;;) {
      log.length = 0
      await call({ headers: at(-400_000), body })
      assert.equal(log.length, 1, log.join('\n'))
      if (log[0].includes(' Found: ')) break
      await new Promise((resolve) => { setTimeout(resolve, 300) })
    }
    const [line] = log
    for (const part of [`logged-${framework}`, 'timestamp_too_old', 'clock_skew (proved)', 'NTP', '/docs/diagnostics/clock_skew.md']) assert.ok(line.includes(part), `${part}: ${line}`)
    assert.ok(!line.includes('\n'))
  })
}

test('every reason code is in the table above, but for those that are no answer of 401 to a sender', () => {
  const elsewhere = ['body_unavailable', 'body_too_large', 'secret_invalid', 'secret_missing', 'secret_unknown']
  assert.deepEqual(Object.keys(refused).sort(), REASON_CODES.filter((code) => !elsewhere.includes(code)).sort())
  const unavailable = new Endpoint({ ...clerk, name: 'unavailable' }).begin({ method: 'POST', path: '/', headers: [], body: 'unavailable' })
  const missing = new Endpoint({ ...clerk, name: 'missing' }).begin({ method: 'POST', path: '/', headers: [], body: Buffer.alloc(0) })
  const sent = ({ answer: { status, headers, body } }) => [status, headers, body.toString()]
  assert.deepEqual(sent(unavailable), sent(missing))
})
