// What the npm packages svix and standardwebhooks say to every row, as JSON on stdout. Run by disagreements.py.

import { readFileSync } from 'node:fs'
import * as standardwebhooks from 'standardwebhooks'
import * as svix from 'svix'

const rows = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')).rows

// As node:http hands them over: lower-case names, repeated values joined.
function headerObject(pairs, rename) {
  const headers = {}
  for (const [name, value] of pairs) {
    const key = rename(name.toLowerCase())
    const text = typeof value === 'string' ? value : Buffer.from(value.base64, 'base64').toString('latin1')
    headers[key] = key in headers ? `${headers[key]}, ${text}` : text
  }
  return headers
}

function cell(act, { Webhook, WebhookVerificationError }) {
  try {
    act(Webhook)
    return 'accepts'
  } catch (error) {
    return error instanceof WebhookVerificationError ? 'refuses' : `raises ${error.name}`
  }
}

function verify(row, library, rename, options) {
  Date.now = () => row.now * 1000
  const headers = headerObject(row.headers, rename)
  const body = Buffer.from(row.body, 'base64')
  const cells = row.secrets.map((secret) =>
    cell((Webhook) => new Webhook(secret).verify(body, headers, options), library),
  )
  return cells.includes('accepts') ? 'accepts' : cells.at(-1)
}

// standardwebhooks knows webhook-* only: rows of the svix-* names are given to it under its own.
const OWN_NAMES = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
const ownNames = (row) =>
  row.headers.some(([name]) => OWN_NAMES.includes(name.toLowerCase()))
    ? (name) => name
    : (name) => name.replace(/^svix-/, 'webhook-')

const answers = { verify: {}, secrets: {} }
for (const row of rows('verify.json')) {
  answers.verify[row.id] = [
    verify(row, svix, (name) => name),
    verify(row, standardwebhooks, ownNames(row), { jsonParse: false }),
  ]
}
for (const row of rows('secrets.json')) {
  answers.secrets[row.id] = [svix, standardwebhooks].map((library) =>
    cell((Webhook) => new Webhook(row.secret), library),
  )
}
process.stdout.write(JSON.stringify(answers))
