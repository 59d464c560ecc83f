// The codes are one catalogue for all languages; src/codes.ts is generated from it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as surehook from 'surehook'

const catalogue = JSON.parse(readFileSync(new URL('../../tests/contract/codes.json', import.meta.url), 'utf8'))

test('every list of the catalogue is exported as it stands', () => {
  const exported = Object.fromEntries(Object.keys(catalogue).map((name) => [name, surehook[name.toUpperCase()]]))
  assert.deepEqual(exported, catalogue)
})
