// A worker: builds the other endpoints of a row, verifies its request, and says what was found. The endpoints end with the
// worker, so that none of them is left to explain the next row.
import { parentPort, workerData } from 'node:worker_threads'
import { Endpoint, verify } from 'surehook'
import { requestOf } from '../support/vectors.mjs'

const endpoints = []
parentPort.postMessage(workerData.map(patiently))
parentPort.close()

/**
 * A diagnosis ends after 5 ms of the clock on the wall, which a busy machine takes away. So what found nothing looks again;
 * what found something, right or wrong, does not.
 */
function patiently(row) {
  for (const { endpoint, secret } of row.others) endpoints.push(new Endpoint({ provider: row.provider, signatureSecret: secret, name: endpoint }))
  let last = found(row)
  for (let i = 0; i < 30 && row.expect.finding && !last.finding; i++) last = found(row)
  return last
}

function found(row) {
  try {
    const result = verify({ ...requestOf(row), diagnose: true })
    const { finding = null, certainty = null } = result.diagnosis ?? {}
    return result.ok ? { code: 'ok' } : { code: result.code, finding, certainty, docs: result.docs, diagnosis: result.diagnosis }
  } catch (error) {
    // What is told by the shape of a secret alone is likely, never proved.
    return { code: error.code, finding: error.details.finding ?? null, certainty: error.details.finding ? 'likely' : null }
  }
}
