// The vectors that every language runs, through the package as its users call it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Endpoint, init, verify } from 'surehook'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

const logged = []
init({ logger: { info: () => {}, warn: (line) => logged.push(line), error: (line) => logged.push(line) } })

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), 'utf8'))

/** A header as Node shows it: each byte of the wire is one character. */
const asNodeShows = (value) => Buffer.from(value.base64 ?? value, value.base64 === undefined ? 'utf8' : 'base64').toString('latin1')

test('verify.json: the same verdict and the same code as in every language', () => {
  const { rows } = vectors('verify')
  const differences = []
  for (const row of rows) {
    const result = verify({
      provider: row.provider,
      secret: row.secrets,
      body: Buffer.from(row.body, 'base64'),
      headers: row.headers.map(([name, value]) => [name, asNodeShows(value)]),
      now: new Date(row.now * 1000),
      ...(row.options.tolerance_seconds && { toleranceSeconds: row.options.tolerance_seconds }),
      ...(row.options.max_body_bytes && { maxBodyBytes: row.options.max_body_bytes }),
    })
    const expected = row.expect.valid ? row.expect.message_id : row.expect.code
    const found = result.ok ? result.messageId : result.code
    if (result.ok !== row.expect.valid || found !== expected) differences.push(`${row.id}: ${found}, not ${expected}`)
    if (!result.ok) assert.ok(result.message && result.docs.endsWith(`/${result.code}.md`), row.id)
  }
  assert.deepEqual(differences, [])
  assert.ok(rows.length >= 400 && rows.filter((row) => !row.expect.valid).length >= 0.6 * rows.length)
  console.log(`conformance node: verify.json ${rows.length} rows`)
})

test('secrets.json: what is refused is refused when the endpoint is built', () => {
  const { rows } = vectors('secrets')
  const differences = []
  for (const row of rows) {
    logged.length = 0
    const name = `secrets-${row.id}`
    let found = 'ok'
    let message = ''
    try {
      new Endpoint({ provider: row.provider, signatureSecret: row.secret, name })
      if (logged.some((line) => line.includes(name))) found = 'ok_with_warning'
    } catch (error) {
      found = error.code
      message = error.message
    }
    if (found !== row.expect) differences.push(`${row.id}: ${found}, not ${row.expect}`)
    if (row.says && !message.toLowerCase().includes(row.says.toLowerCase())) differences.push(`${row.id}: ${message}`)
    if (row.secret.length > 8) assert.ok(!message.includes(row.secret), `${row.id}: the message repeats the secret`)
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: secrets.json ${rows.length} rows`)
})

test('outcomes.json: the answer that is sent, and whether a retry runs the handler again', () => {
  const { rows } = vectors('outcomes')
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
    for (const call of input.handler) {
      if (call.step !== undefined) delivery.step(call.step)
      else if (call.mark === 'processed') delivery.processed()
      else delivery.failed(call.reason)
    }
    const answer = input.end === 'error' ? delivery.fail(new Error('as it happens')) : finish(delivery, input.end.status)
    const stored = begin().delivery === undefined
    if ((answer?.status ?? null) !== expected.answer_override) differences.push(`${id}: answered ${answer?.status}`)
    if (stored !== expected.store_response) differences.push(`${id}: stored ${stored}`)
  }
  assert.deepEqual(differences, [])
  console.log(`conformance node: outcomes.json ${rows.length} rows`)
})

function signedBeginner(endpoint, eventType) {
  const body = eventType === null || eventType === undefined ? '{"data":{}}' : clerkEvent(eventType)
  const id = newId()
  return () => endpoint.begin({ method: 'POST', path: '/', headers: Object.entries(svixHeaders(body, { id })).flat(), body: Buffer.from(body) })
}

const finish = (delivery, status) => delivery.finish({ status, headers: ['content-type', 'text/plain'], body: Buffer.from('ok') })
