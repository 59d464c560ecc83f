// What names event types: every separator ends a segment, a type names its actions, what is not listed is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Endpoint, init } from 'surehook'
import { capture } from 'surehook/testing'
import { hexHmac } from './support/wrappers.mjs'

const key = '0123456789abcdef0123456789abcdef'
const logged = []
init({ logger: { info: () => {}, warn: (line) => logged.push(line), error: () => {} } })

function begin(endpoint, body, event) {
  const headers = ['x-hub-signature-256', `sha256=${hexHmac(key, body)}`, 'x-github-event', event]
  return endpoint.begin({ method: 'POST', path: '/', headers, body: Buffer.from(body) }).delivery
}

test('a pattern names a type with its action', () => {
  const captured = capture()
  for (const [pattern, outcome] of Object.entries({
    pull_request: 'ignored',
    'pull_request.closed': 'ignored',
    'pull_request.*': 'ignored',
    'pull_*': 'ignored',
    'pull_request.opened': 'processed',
    pull_request_review: 'processed',
  })) {
    const endpoint = new Endpoint({ provider: 'github', signatureSecret: key, ignore: [pattern], name: `patterns ${pattern}` })
    const delivery = begin(endpoint, '{"action":"closed"}', 'pull_request')
    assert.equal(delivery.eventType, 'pull_request.closed')
    delivery.finish({ status: 200, headers: [], body: Buffer.from('') })
    assert.equal(captured.one().outcome, outcome, pattern)
    captured.clear()
  }
  captured.stop()
})

test('a pattern that names no listed type is a warning with the closest', () => {
  for (const [provider, pattern, closest] of [['shopify', 'order/*', 'orders/*'], ['shopify', 'orders/payed', 'orders/paid'], ['github', 'pull_requests', 'pull_request']]) {
    logged.length = 0
    new Endpoint({ provider, signatureSecret: key, steps: { [pattern]: ['sync'] } })
    assert.ok(logged.some((line) => line.includes(`"${pattern}"`) && line.includes(`"${closest}"`)), `${pattern}: ${logged}`)
    logged.length = 0
    new Endpoint({ provider, signatureSecret: key, steps: { [closest]: ['sync'] } })
    assert.deepEqual(logged, [])
  }
})
