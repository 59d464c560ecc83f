// The vectors that every language runs, and a row as the arguments of `verify`.
import { readFileSync } from 'node:fs'

export const vectors = (name) => JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8'))

/** A header as Node shows it: each byte of the wire is one character. */
const asNodeShows = (value) => Buffer.from(value.base64 ?? value, value.base64 === undefined ? 'utf8' : 'base64').toString('latin1')

/** What a row asks `verify` for. */
export function requestOf(row) {
  return {
    provider: row.provider,
    secret: row.secrets,
    body: Buffer.from(row.body, 'base64'),
    headers: row.headers.map(([name, value]) => [name, asNodeShows(value)]),
    now: new Date(row.now * 1000),
    ...(row.method && { method: row.method }),
    ...(row.url && { url: row.url }),
    ...(row.options.tolerance_seconds && { toleranceSeconds: row.options.tolerance_seconds }),
    ...(row.options.max_body_bytes && { maxBodyBytes: row.options.max_body_bytes }),
  }
}
