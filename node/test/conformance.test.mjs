// The vectors that every language runs, through the package as its users call it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import { CERTAINTIES, deferred, Endpoint, FINDINGS, init, verify } from 'surehook'
import { capture, freeze } from 'surehook/testing'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'
import { requestOf, vectors } from './support/vectors.mjs'

const logged = []
init({ logger: { info: () => {}, warn: (line) => logged.push(line), error: (line) => logged.push(line) } })

test('verify.json: the same verdict and the same code as in every language', () => {
  const { rows } = vectors('verify')
  const differences = []
  for (const row of rows) {
    const result = verify(requestOf(row))
    const expected = row.expect.valid ? row.expect.message_id : row.expect.code
    const found = result.ok ? result.messageId : result.code
    if (result.ok !== row.expect.valid || found !== expected) differences.push(`${row.id}: ${found}, not ${expected}`)
    if (!result.ok) assert.ok(result.message && result.docs.endsWith(`/${result.diagnosis?.finding ?? result.code}.md`), row.id)
  }
  assert.deepEqual(differences, [])
  assert.ok(rows.length >= 400 && rows.filter((row) => !row.expect.valid).length >= 0.6 * rows.length)
  console.log(`conformance node: verify.json ${rows.length} rows`)
})

// Before any test that builds endpoints in this process: each of their secrets would be tried too.
test('diagnosis.json: the same finding, as certain, as in every language', async () => {
  const { rows } = vectors('diagnosis')
  const differences = []
  for (const group of [rows.filter((row) => row.others.length === 0), ...rows.filter((row) => row.others.length > 0).map((row) => [row])]) {
    const found = await diagnosed(group)
    for (const [i, { id, expect, secrets }] of group.entries()) {
      const { code, finding, certainty, docs, diagnosis } = found[i]
      const [got, expected] = [[code, finding, certainty], [expect.code, expect.finding, expect.certainty]].map((parts) => parts.map((part) => part ?? 'none').join(' '))
      if (got !== expected) differences.push(`${id}: ${got}, not ${expected}`)
      if (!diagnosis) continue
      assert.ok(FINDINGS.includes(finding) && CERTAINTIES.includes(certainty) && docs.endsWith(`/${finding}.md`), id)
      assert.deepEqual(Object.keys(diagnosis), ['finding', 'certainty', 'evidence', 'fix'])
      assert.ok(diagnosis.evidence && diagnosis.fix && !secrets.some((secret) => JSON.stringify(diagnosis).includes(secret)), id)
    }
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: diagnosis.json ${rows.length} rows`)
})

test('an endpoint that is gone explains nothing any more', async () => {
  const row = vectors('diagnosis').rows.find(({ expect }) => expect.finding === 'secret_of_another_endpoint')
  const [[withIt], [without]] = [await diagnosed([row]), await diagnosed([{ ...row, others: [], expect: {} }])]
  assert.deepEqual([withIt.finding, without.finding], ['secret_of_another_endpoint', null])
})

test('secrets.json: what is refused is refused when it is needed', () => {
  const { rows } = vectors('secrets')
  const differences = []
  for (const row of rows) {
    logged.length = 0
    const name = `secrets-${row.id}`
    let found = 'ok'
    let message = ''
    try {
      new Endpoint({ provider: row.provider, signatureSecret: row.secret, name, url: 'https://example.com/hook' }).check()
      if (logged.some((line) => line.includes(name))) found = 'ok_with_warning'
    } catch (error) {
      found = error.code
      message = error.message
      if (error.details.finding) assert.ok(FINDINGS.includes(error.details.finding), row.id)
    }
    if (found !== row.expect) differences.push(`${row.id}: ${found}, not ${row.expect}`)
    if (row.says && !message.toLowerCase().includes(row.says.toLowerCase())) differences.push(`${row.id}: ${message}`)
    if (row.secret.length > 8) assert.ok(!message.includes(row.secret), `${row.id}: the message repeats the secret`)
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: secrets.json ${rows.length} rows`)
})

test('outcomes.json: the answer that is sent, what is recorded, and whether a retry runs the handler again', () => {
  const { rows } = vectors('outcomes')
  const captured = capture()
  const differences = []
  for (const { id, input, expected } of rows) {
    const endpoint = new Endpoint({
      provider: 'clerk',
      signatureSecret: SECRET,
      name: `outcomes-${id}`,
      steps: input.steps ?? {},
      ignore: input.ignore ?? [],
      requireProcessingMark: input.require_processing_mark ?? false,
      onSilentDrop: input.on_silent_drop ?? 'report',
    })
    const begin = signedBeginner(endpoint, input.event_type)
    const { delivery } = begin()
    const token = told(delivery, input.handler)
    const answer = input.end === 'error' ? delivery.fail(new Error('as it happens')) : finish(delivery, input.end.status)
    const recorded = captured.one()
    captured.clear()
    let later
    if (input.later) {
      told(deferred(token), input.later)
      const end = captured.one()
      assert.equal(end.continues, recorded.id, id)
      later = recordedAs(end)
    }
    captured.clear()
    const found = { ...recordedAs(recorded), answer_override: answer?.status ?? null, store_response: begin().delivery === undefined, ...(later && { later }) }
    captured.clear()
    if (!isDeepStrictEqual(found, expected)) differences.push(`${id}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
  }
  captured.stop()
  assert.deepEqual(differences, [])
  assert.ok(rows.some(({ input }) => input.later))
  console.log(`conformance node: outcomes.json ${rows.length} rows`)
})

test('dedup.json: what an endpoint does with each of several requests, and what it counts', () => {
  const { rows } = vectors('dedup')
  const differences = []
  for (const row of rows) {
    const { id, provider, scheme, secret, url, options, requests, counts, error } = row
    const build = () => new Endpoint({
      ...(scheme ? { scheme: inCamelCase(scheme) } : { provider }),
      signatureSecret: secret,
      name: `dedup-${id}`,
      ...(url && { url }),
      ...inCamelCase(options),
    })
    if (error) {
      assert.throws(build, (thrown) => thrown.code === error.code && thrown.message.includes(error.says), id)
      continue
    }
    const endpoint = build()
    const captured = capture()
    for (const [number, request] of requests.entries()) {
      const clock = freeze(request.now * 1000)
      const { answer, delivery } = endpoint.begin({ method: 'POST', path: request.path, headers: request.headers.flat(), body: Buffer.from(request.body, 'base64') })
      if (delivery) finish(delivery, 200)
      clock.restore()
      const found = delivery ? 'handle' : (captured.one().verification.code ?? answer.kind)
      captured.clear()
      if (found !== request.expect) differences.push(`${id}, request ${number}: ${found}, not ${request.expect}`)
    }
    captured.stop()
    const found = endpoint.dedupCounts()
    for (const name of ['new', 'duplicate', 'same_body_other_id', 'id_reuse']) {
      const counted = found[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())]
      if (counted !== (counts[name] ?? 0)) differences.push(`${id}: ${name} is ${counted}, not ${counts[name] ?? 0}`)
    }
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: dedup.json ${rows.length} rows`)
})

/** The members of a scheme or of options as Node users write them. */
function inCamelCase(members) {
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return members
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), inCamelCase(value)]),
  )
}

/** Says what the calls of a row say; answers with the token of the work that is deferred, if it is. */
function told(delivery, calls) {
  let token
  for (const { step, mark, reason } of calls) {
    if (step !== undefined) delivery.step(step)
    else if (mark === 'deferred') token = delivery.defer({ deadlineMs: 60_000 })
    else if (mark === 'processed') delivery.processed()
    else delivery.failed(reason)
  }
  return token
}

const recordedAs = ({ outcome, missing_steps = [] }) => ({ outcome, missing_steps })

async function diagnosed(rows) {
  const worker = new Worker(new URL('./programs/diagnose.mjs', import.meta.url), { workerData: rows })
  const [[found]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  return found
}

function signedBeginner(endpoint, eventType) {
  const body = eventType === null || eventType === undefined ? '{"data":{}}' : clerkEvent(eventType)
  const id = newId()
  return () => endpoint.begin({ method: 'POST', path: '/', headers: Object.entries(svixHeaders(body, { id })).flat(), body: Buffer.from(body) })
}

const finish = (delivery, status) => delivery.finish({ status, headers: ['content-type', 'text/plain'], body: Buffer.from('ok') })
