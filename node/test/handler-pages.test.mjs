// The JavaScript of docs/silent-drops.md and docs/testing.md, run as it stands.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import express from 'express'
import * as surehook from 'surehook'
import { withWebhookMonitoring } from 'surehook/express'
import * as nextjs from 'surehook/nextjs'
import * as testing from 'surehook/testing'
import { DOCS, snippets } from './support/package.mjs'
import { serve, until } from './support/server.mjs'
import { clerkEvent, SECRET, svixHeaders } from './support/signing.mjs'

after(() => surehook.shutdown(0))

/** Runs the blocks of a page as one, with the names that they import; what `names` says is given back. */
function run(page, given, names) {
  const text = snippets(readFileSync(join(DOCS, page), 'utf8'), 'js').join('\n').replace(/^import .*$/gm, '')
  return new Function(...Object.keys(given), `${text}\nreturn { ${names.join(', ')} }`)(...Object.values(given))
}

test('silent-drops.md: the handlers do what the page says', async (t) => {
  process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
  const captured = testing.capture()
  t.after(() => captured.stop())
  const { app } = run('silent-drops.md', { ...surehook, init: () => {}, express, withWebhookMonitoring, console: { log: () => {} } }, ['app'])
  const server = await serve(app)
  t.after(() => server.close())
  const post = async (path, body) => assert.equal((await server.post(`/api/webhooks/${path}`, body, svixHeaders(body))).status, 200)
  const event = (type, data) => clerkEvent(type, { id: 'user_1', ...data })

  const email_addresses = ['ada@example.com']
  await post('clerk', event('user.created', { email_addresses }))
  await post('clerk', event('user.created', { email_addresses: [] }))
  await post('clerk', event('user.created', { email_addresses, banned: true }))
  await post('clerk', event('session.created', {}))
  await post('signup', event('user.created', {}))
  await until(() => captured.attempts.length === 6, 'the deferred work is done')
  assert.deepEqual(captured.attempts.map(({ outcome, missing_steps = [] }) => [outcome, missing_steps]), [
    ['processed', []],
    ['silent_drop', ['send_welcome']],
    ['failed', []],
    ['ignored', []],
    ['deferred', []],
    ['processed', []],
  ])
})

test('testing.md: the tests on the page pass', async () => {
  const tests = []
  run('testing.md', { ...testing, assert, test: (name, body) => tests.push(body), withWebhookMonitoring: nextjs.withWebhookMonitoring }, [])
  assert.equal(tests.length, 2)
  for (const body of tests) await body()
})
