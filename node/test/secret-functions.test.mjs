// Secrets that a function gives for each request: routes of several tenants.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Endpoint, init } from 'surehook'
import { withWebhookMonitoring as nextjs } from 'surehook/nextjs'
import { capture } from 'surehook/testing'
import { clerkEvent, newId, OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'

const log = []
init({ logger: { info: () => {}, warn: (line) => log.push(line), error: (line) => log.push(line) } })
afterEach(() => { delete process.env.CLERK_WEBHOOK_SIGNING_SECRET })

let names = 0
const endpointOf = (signatureSecret, options = {}) => new Endpoint({ provider: 'clerk', signatureSecret, name: `function-${names++}`, ...options })
const message = (path = '/one', secret = SECRET) => {
  const body = clerkEvent()
  return { method: 'POST', path, headers: Object.entries(svixHeaders(body, { secret, id: newId() })).flat(), body: Buffer.from(body) }
}
const tenants = { '/one': SECRET, '/two': OTHER_SECRET }

for (const [kind, given] of Object.entries({ sync: ({ path }) => tenants[path], async: async ({ path }) => tenants[path] })) {
  test(`each tenant is verified with its own secret (${kind}), and no variable stands in`, async (t) => {
    process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
    const endpoint = endpointOf(given)
    endpoint.check()
    assert.ok((await endpoint.begin(message(), null)).delivery)
    assert.ok((await endpoint.begin(message('/two', OTHER_SECRET), null)).delivery)
    const captured = capture()
    t.after(() => { captured.stop() })
    assert.equal((await endpoint.begin(message('/two'), null)).answer.status, 401)
    assert.equal((await endpoint.begin(message('/nobody'), null)).answer.status, 401)
    assert.deepEqual(captured.attempts.map(({ verification }) => verification.code), ['signature_mismatch', 'secret_unknown'])
  })
}

test('the function sees the request, and may name the sender', async () => {
  const seen = []
  const endpoint = endpointOf((request) => {
    seen.push(request)
    return { secret: [OTHER_SECRET, SECRET], sender: 'tenant one' }
  })
  const given = message('/one?a=1')
  const { delivery } = await endpoint.begin(given, null)
  assert.equal(delivery.sender, 'tenant one')
  assert.deepEqual([seen[0].method, seen[0].path, seen[0].body], ['POST', '/one?a=1', given.body])
  assert.ok(seen[0].headers['svix-id'])
  assert.equal((await endpointOf(() => SECRET).begin(message(), null)).delivery.sender, null)
})

for (const nothing of [undefined, null, '', [], { secret: undefined }]) {
  test(`nothing (${JSON.stringify(nothing)}) is a 401, and no variable stands in`, async () => {
    process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
    const { answer } = await endpointOf(() => nothing).begin(message(), null)
    assert.deepEqual([answer.status, answer.rejection.code], [401, 'secret_unknown'])
  })
}

const faults = {
  throws: () => { throw new Error(SECRET) },
  rejects: () => Promise.reject(new Error('no')),
  'a number': () => 5,
  'a list of numbers': () => [5],
  'an unusable secret': () => 'whsec_short',
  'a sender that is no text': () => ({ secret: SECRET, sender: 5 }),
}
for (const [fault, given] of Object.entries(faults)) {
  test(`a function that fails is a 503: ${fault}`, async () => {
    log.length = 0
    const { answer } = await endpointOf(given).begin(message(), null)
    assert.deepEqual([answer.status, answer.rejection.code, answer.headers[answer.headers.indexOf('retry-after') + 1]], [503, 'verifier_error', '30'])
    assert.equal(log.length, 1)
    assert.ok(!log[0].includes('whsec_'), log[0])
  })
}

test('a function that takes too long is not waited for, and 64 run at once', async () => {
  let release
  const gate = new Promise((resolve) => { release = resolve })
  const endpoint = endpointOf(() => gate)
  const began = performance.now()
  const slow = Array.from({ length: 64 }, () => endpoint.begin(message(), null))
  const { answer } = await endpoint.begin(message(), null)
  assert.ok(performance.now() - began < 1500, 'it was not even called')
  assert.deepEqual([answer.status, answer.rejection.code], [503, 'verifier_error'])
  const answers = await Promise.all(slow)
  const spent = performance.now() - began
  assert.ok(spent > 1900 && spent < 6000, `${spent} ms`)
  assert.ok(answers.every(({ answer: late }) => late.status === 503))
  assert.equal((await endpoint.begin(message(), null)).answer.status, 503, 'they still run')
  release(SECRET)
  await gate
  await new Promise((resolve) => { setImmediate(resolve) })
  assert.ok((await endpoint.begin(message(), null)).delivery)
})

test('a wrapper takes it, and what it says is redacted', async (t) => {
  const captured = capture()
  t.after(() => { captured.stop() })
  const POST = nextjs({ provider: 'clerk', signatureSecret: () => SECRET, name: `function-${names++}` }, (_request, _context, delivery) => {
    delivery.failed(`it is ${SECRET}`)
    return new Response('ok')
  })
  const body = clerkEvent()
  const response = await POST(new Request('http://localhost/one', { method: 'POST', headers: svixHeaders(body, { id: newId() }), body }))
  assert.equal(response.status, 200)
  assert.ok(!JSON.stringify(captured.attempts).includes(SECRET.slice(6)))
})
