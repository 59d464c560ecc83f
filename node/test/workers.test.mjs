// Several workers, each with a memory of its own, are warned about once, with the line to add; others are not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from './support/package.mjs'

const PROGRAM = fileURLToPath(new URL('programs/workers.mjs', import.meta.url))

/** What Node's cluster, and each instance of PM2, say in their logs. */
async function said(...environments) {
  const outputs = await Promise.all(environments.map(async (env) => {
    const { code, output } = await run('.', process.execPath, [PROGRAM], env)
    assert.equal(code, 0, output)
    return output
  }))
  return outputs.join('').match(/^.*workers de-duplicate.*$/gm) ?? []
}

const pm2 = (number, instances) => ({ NODE_APP_INSTANCE: String(number), pm_id: String(number), ...(instances && { instances }) })

for (const [what, environments, warning] of [
  ["three workers of Node's cluster", [{ MODE: 'cluster' }], /^surehook: several workers .*sqlite:\/\/\//],
  ['three instances of PM2', [pm2(0, '3'), pm2(1, '3'), pm2(2, '3')], /^surehook: 3 workers .*redis:\/\//],
  ["PM2's instances: max", [pm2(0, 'max'), pm2(1, 'max'), pm2(2, 'max')], /^surehook: several workers /],
]) {
  test(`${what} are warned about once`, async () => {
    const lines = await said(...environments)
    assert.equal(lines.length, 1, lines.join('\n'))
    assert.match(lines[0], warning)
  })
}

for (const [what, environments] of [
  ['one process', [{}]],
  ['one instance of PM2', [pm2(0, '1')]],
  ['worker threads, which share one memory', [{ MODE: 'threads' }]],
  ['workers that share a store', [{ MODE: 'cluster', DEDUP: 'sqlite:///nowhere/dedup.db' }]],
]) {
  test(`${what}: nothing is said`, async () => assert.deepEqual(await said(...environments), []))
}
