// The rule that keeps the adapters thin is itself kept: what it must refuse, it refuses.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'

const eslint = new ESLint({ cwd: fileURLToPath(new URL('..', import.meta.url)) })

for (const adapter of ['express', 'fastify', 'nextjs', 'node-response', 'pg', 'prisma', 'serverless']) {
  const filePath = fileURLToPath(new URL(`../src/${adapter}.ts`, import.meta.url))
  const source = readFileSync(filePath, 'utf8')
  const complaints = async (text) => (await eslint.lintText(text, { filePath }))[0].messages.map(({ ruleId }) => ruleId)

  test(`${adapter} uses the public API and is under 150 lines`, async () => {
    assert.deepEqual(await complaints(source), [])
    for (const inside of ['./native', './endpoint', '../native/binding', './verifier']) {
      assert.ok((await complaints(`import '${inside}'\n${source}`)).includes('no-restricted-imports'), inside)
    }
    assert.ok((await complaints(source + '\n// more\n'.repeat(100))).includes('max-lines'))
  })
}
