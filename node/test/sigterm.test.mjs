// The recipe of docs/telemetry.md for SIGTERM: what runs is answered, what was recorded arrives, and the process ends.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DOCS, snippets } from './support/package.mjs'
import { startRecorder } from './support/recorder.mjs'
import { until } from './support/server.mjs'
import { clerkEvent, svixHeaders } from './support/signing.mjs'

const PROGRAM = fileURLToPath(new URL('programs/sigterm.mjs', import.meta.url))
const STOP = snippets(readFileSync(join(DOCS, 'telemetry.md'), 'utf8'), 'js').find((text) => text.includes("process.once('SIGTERM'"))

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} while a handler runs: it is answered, and its record arrives`, async (t) => {
    const recorder = await startRecorder(t)
    const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, ...recorder.env, STOP }, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk) => { output += chunk })
    const port = await until(() => /on (\d+)/.exec(output)?.[1], 'the server')
    const body = clerkEvent()
    const answer = fetch(`http://127.0.0.1:${port}/hook`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...svixHeaders(body) } })
    await until(() => output.includes('handling'), 'the handler')
    child.kill(signal)
    const [code] = await once(child, 'exit')
    assert.equal(await (await answer).text(), 'done')
    assert.equal(code, 0)
    assert.deepEqual(recorder.attempts.map(({ outcome, status }) => [outcome, status]), [['processed', 200]])
  })
}
