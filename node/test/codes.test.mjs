// The codes are one catalogue for all languages; src/codes.ts is generated from it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import * as surehook from 'surehook'

const catalogue = JSON.parse(readFileSync(new URL('../../tests/contract/codes.json', import.meta.url), 'utf8'))

test('every list of the catalogue is exported as it stands', () => {
  const exported = Object.fromEntries(Object.keys(catalogue).map((name) => [name, surehook[name.toUpperCase()]]))
  assert.deepEqual(exported, catalogue)
})

test('the findings and certainties of the addon are those of the catalogue', () => {
  // The addon is no public name: it is reached by its file.
  const require = createRequire(import.meta.url)
  const { native } = require(join(dirname(require.resolve('surehook')), 'native.js'))
  assert.deepEqual(native().findings(), catalogue.findings)
  assert.deepEqual(native().certainties(), catalogue.certainties)
})
