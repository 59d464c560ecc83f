// Writes src/codes.ts from tests/contract/codes.json, the catalogue that every language shares.
import { readFileSync, writeFileSync } from 'node:fs'

const catalogue = JSON.parse(readFileSync(new URL('../../tests/contract/codes.json', import.meta.url), 'utf8'))

const lists = [
  ['reason_codes', 'REASON_CODES', 'ReasonCode', 'Why a request was refused.'],
  ['findings', 'FINDINGS', 'Finding', 'The cause that a diagnosis names.'],
  ['certainties', 'CERTAINTIES', 'Certainty', 'How sure a diagnosis is: an experiment verified, or only the shape speaks for it.'],
  ['outcomes', 'OUTCOMES', 'Outcome', 'What became of an attempt.'],
  ['drop_reasons', 'DROP_REASONS', 'DropReason', 'Why a recorded attempt never reached the collector.'],
  ['dedup_results', 'DEDUP_RESULTS', 'DedupResult', 'What de-duplication said of an attempt.'],
]

const blocks = lists.map(([key, name, type, meaning]) => {
  const rows = catalogue[key].map((code) => `  '${code}',\n`).join('')
  return `/** ${meaning} */\nexport const ${name} = [\n${rows}] as const\n\n/** ${meaning} */\nexport type ${type} = (typeof ${name})[number]\n`
})

const heading = '// Generated from tests/contract/codes.json by `npm run generate`. Do not edit.\n\n'
writeFileSync(new URL('../src/codes.ts', import.meta.url), heading + blocks.join('\n'))
