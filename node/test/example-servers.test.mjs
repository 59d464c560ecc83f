// The examples and the quickstarts as a user runs them: from the packed tarball, with the real collector and command.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SUREHOOK, startCollector } from './support/collector.mjs'
import { DOCS, EXAMPLES, installed, run, snippets, startServer } from './support/package.mjs'
import { until } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

const PATH = '/api/webhooks/clerk'
let collector

before(async () => { collector = await startCollector() })
after(() => collector.stop())

for (const framework of ['express', 'fastify']) test(`${framework}: the example and the quickstart`, { timeout: 120_000 }, async (t) => {
  const [quickstart, stash = ''] = snippets(readFileSync(join(DOCS, `quickstart-${framework}.md`), 'utf8'), 'js')
  const parsed = quickstart.replace('const app = express()\n', (line) => `${line}${stash}`)
  assert.equal(parsed === quickstart, stash === '')
  const directory = await installed(t, { from: join(EXAMPLES, framework), files: { 'quickstart.mjs': quickstart, 'parsed.mjs': parsed } })
  const database = join(directory, 'test.db')
  const env = { ...collector.env, CLERK_WEBHOOK_SIGNING_SECRET: SECRET, DATABASE_PATH: database, PORT: '0' }

  await t.test('the example writes the user once, and answers the retry with the same bytes', async (t) => {
    const server = await startServer(t, directory, process.execPath, ['app.mjs'], env)
    const body = clerkEvent('user.created', { id: 'user_1' })
    const id = newId()
    const send = () => server.post(PATH, body, svixHeaders(body, { id }))
    const first = await send()
    const retry = await send()
    assert.equal(first.status, 200, server.output())
    assert.deepEqual(rows(directory, database), [{ id: 'user_1', email: 'zoë@example.com' }])
    assert.equal(retry.headers.get('content-type'), first.headers.get('content-type'))
    assert.equal(retry.headers.get('idempotent-replayed'), 'true')
    assert.equal(await retry.text(), await first.text())

    const again = clerkEvent('user.created', { id: 'user_1' })
    const failed = await server.post(PATH, again, svixHeaders(again, { id: `msg_${framework}` }))
    assert.equal(failed.status, 500)
    for (const [owner, status] of [['user_1', 200], ['user_nobody', 500]]) {
      const organization = clerkEvent('organization.created', { id: `org_${owner}`, name: 'Acme', created_by: owner })
      assert.equal((await server.post(PATH, organization, svixHeaders(organization))).status, status)
    }
    await server.stop()

    assert.deepEqual((await collector.attempts(id)).map(({ outcome }) => outcome), ['processed', 'duplicate'])
    const [attempt] = await collector.attempts(`msg_${framework}`)
    assert.equal(attempt.outcome, 'failed')
    assert.match(attempt.failure.error.message, /UNIQUE/)
  })

  for (const program of stash ? ['quickstart.mjs', 'parsed.mjs'] : ['quickstart.mjs']) {
    await t.test(`${program} takes what \`surehook send\` sends`, async (t) => {
      const server = await startServer(t, directory, process.execPath, [program], env)
      const sent = await run(directory, SUREHOOK, ['send', server.url + PATH, '--event', 'user.created', '--duplicate', '--bad-signature'], env)
      assert.equal(sent.code, 0, sent.output + server.output())
      assert.match(server.output(), /^user\.created user_/m)
      await until(async () => (await collector.messages('&event_type=user.created')).some(({ attempts }) => attempts >= 2), 'the event on the dashboard')
    })
  }
})

function rows(directory, database) {
  const Database = createRequire(join(directory, 'x.js'))('libsql')
  const opened = new Database(database)
  try {
    return opened.prepare('SELECT id, email FROM users').all()
  } finally {
    opened.close()
  }
}
