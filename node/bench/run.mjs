// P3, P4 and P7 of bars.md: one JSON line for each figure. `ONLY=P3` runs one bar. The addon is a release build.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const ROUNDS = 15
const MILLISECONDS_A_ROUND = 60

/** A user.created event of exactly that many bytes. */
function bodyOf(size) {
  const emails = Array.from({ length: 8 }, (_, n) => ({ id: `idn_${n}`, email_address: `ada${n}@example.com`, verified: true }))
  const user = { id: 'user_29w83sxmDNGwOuEthce5gg56FcC', first_name: 'Ada', banned: false, created_at: 1654012591514 }
  const event = (note) => JSON.stringify({ data: { ...user, email_addresses: emails, note }, object: 'event', type: 'user.created' })
  return Buffer.from(event('x'.repeat(size - event('').length)))
}

/** The microseconds that each call takes: the median of rounds in which all of them take turns. */
function microseconds(calls) {
  const loops = calls.map((call) => Math.max(1, Math.round((MILLISECONDS_A_ROUND * 1000) / warmedUp(call))))
  const rounds = calls.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) rounds[i].push(timed(call, loops[i]))
  }
  return rounds.map((found) => found.sort((a, b) => a - b)[ROUNDS >> 1])
}

/** Calls until the compiler has had its say; then the time of one call. */
function warmedUp(call) {
  const until = performance.now() + 200
  while (performance.now() < until) timed(call, 20)
  return timed(call, 20)
}

function timed(call, count) {
  const started = process.hrtime.bigint()
  for (let i = 0; i < count; i++) call()
  return Number(process.hrtime.bigint() - started) / count / 1000
}

/** The package as it is built, with the release build of the addon in the place of the one for tests. */
async function withReleaseAddon(use) {
  const directory = mkdtempSync(join(tmpdir(), 'surehook-bench-'))
  try {
    const installed = join(directory, 'node_modules/surehook')
    mkdirSync(installed, { recursive: true })
    cpSync(join(PACKAGE, 'package.json'), join(installed, 'package.json'))
    cpSync(join(PACKAGE, 'dist'), join(installed, 'dist'), { recursive: true })
    symlinkSync(join(PACKAGE, 'native-release'), join(installed, 'native'))
    await use(createRequire(join(directory, 'bench.js'))('surehook'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function report(bar, size, ours, peers) {
  for (const [peer, theirs] of peers) {
    const rounded = (number) => Math.round(number * 1000) / 1000
    const line = { bar, case: `${size} KiB`, unit: 'us', value: rounded(ours), peer, peer_value: rounded(theirs), ratio: Math.round((theirs / ours) * 100) / 100 }
    console.log(JSON.stringify(line))
  }
}

function compare(bar, size, { Webhook }) {
  const parse = bar === 'P4'
  const body = bodyOf(size * 1024)
  const at = new Date()
  const [ours, svix, standard] = [new Webhook(SECRET), new SvixWebhook(SECRET), new StandardWebhook(SECRET)]
  const signature = svix.sign('msg_2Lh9KRb0pzN4LePd3XiA4v12Axj', at, body)
  const headers = (family) => ({ [`${family}-id`]: 'msg_2Lh9KRb0pzN4LePd3XiA4v12Axj', [`${family}-timestamp`]: String(Math.floor(at / 1000)), [`${family}-signature`]: signature })
  const [svixHeaders, standardHeaders] = [headers('svix'), headers('webhook')]
  const options = { jsonParse: parse }
  const [value, ...peers] = microseconds([
    () => ours.verify(body, svixHeaders, options),
    // From 2.0 on, the svix class leaves the parsing to its caller.
    parse ? () => { svix.verify(body, svixHeaders); return JSON.parse(body.toString()) } : () => svix.verify(body, svixHeaders),
    () => standard.verify(body, standardHeaders, options),
  ])
  report(bar, size, value, [[`svix ${versionOf('svix')}`, peers[0]], [`standardwebhooks ${versionOf('standardwebhooks')}`, peers[1]]])
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(PACKAGE, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** More attempts than the queue holds, so that both a queue with room and a full one are measured. */
const ATTEMPTS = 20_000
const RECORDING_ROUNDS = 5

/** How long ending a delivery takes at the 99th percentile while the collector is down: the least of some rounds. */
async function recording(name, spoolDir, { Endpoint, init, shutdown }) {
  const rounds = []
  for (let round = 0; round < RECORDING_ROUNDS; round++) {
    // Nobody listens on port 1.
    init({ apiKey: 'shk_bench_0123456789abcdef', endpoint: 'http://127.0.0.1:1', logger: quiet, ...(spoolDir && { spoolDir: join(spoolDir, String(round)) }) })
    const endpoint = new Endpoint({ provider: 'clerk', verification: 'off', name: 'bench' })
    const incoming = { method: 'POST', path: '/webhooks/clerk', headers: [], body: Buffer.from('{"type":"user.created","data":{"id":"user_29w83sxmDNGwOuEthce5gg56FcC"}}') }
    const response = { status: 200, headers: [], body: Buffer.from('ok') }
    const times = new Float64Array(ATTEMPTS)
    for (let i = 0; i < ATTEMPTS; i++) {
      const { delivery } = endpoint.begin(incoming, null)
      const started = process.hrtime.bigint()
      delivery.finish(response)
      times[i] = Number(process.hrtime.bigint() - started) / 1000
      if (i % 100 === 99) await new Promise((resolve) => { setImmediate(resolve) })
    }
    await shutdown(0)
    rounds.push(times.sort()[Math.floor(ATTEMPTS * 0.99)])
  }
  console.log(JSON.stringify({ bar: 'P7', case: `Node, ${name}, p99`, unit: 'us', value: Math.round(Math.min(...rounds) * 1000) / 1000 }))
}

const quiet = { info() {}, warn() {}, error() {} }

await withReleaseAddon(async (surehook) => {
  const only = process.env.ONLY
  if (!only || only === 'P3') for (const size of [1, 20, 256]) compare('P3', size, surehook)
  if (!only || only === 'P4') compare('P4', 1, surehook)
  if (only && only !== 'P7') return
  const spool = mkdtempSync(join(tmpdir(), 'surehook-bench-spool-'))
  await recording('queue', null, surehook)
  await recording('spool', spool, surehook)
  rmSync(spool, { recursive: true })
})
