// The causes of refusals, through the package. In a process of its own: the secrets of all its endpoints are tried.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Endpoint, init, verify } from 'surehook'
import { requestOf, vectors } from './support/vectors.mjs'

init({ logger: { info: () => {}, warn: () => {}, error: () => {} } })
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/** An endpoint that nothing holds any more is gone after this, and its secret with it. */
async function forgetEndpoints() {
  collectGarbage()
  await setImmediate()
}

test('diagnosis.json: the same finding, as sure, as in every language', async () => {
  const { rows } = vectors('diagnosis')
  const differences = []
  for (const row of rows) {
    await forgetEndpoints()
    // The secrets of other endpoints are known because these endpoints are there.
    const others = row.others.map(({ endpoint, secret }) => new Endpoint({ provider: row.provider, signatureSecret: secret, name: endpoint }))
    let found
    try {
      const { code, diagnosis } = verify(requestOf(row))
      found = { code, finding: diagnosis?.finding ?? null, certainty: diagnosis?.certainty ?? null }
    } catch (error) {
      const { finding = null } = error.details
      found = { code: error.code, finding, certainty: finding && 'likely' }
    }
    assert.equal(others.length, row.others.length)
    const { code, finding, certainty } = row.expect
    if (JSON.stringify(found) !== JSON.stringify({ code, finding, certainty })) {
      differences.push(`${row.id}: ${JSON.stringify(found)}, not ${JSON.stringify(row.expect)}`)
    }
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: diagnosis.json ${rows.length} rows`)
})
