// Real Redis and Postgres servers for the tests: on free loopback ports, with temporary data, stopped after the test.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { DOCS, snippets } from './package.mjs'
import { closedPort } from './server.mjs'

/** The password of every server; it must never be seen in an error or a log. */
export const PASSWORD = 'canary-pass/word'
const PASSWORD_IN_URL = encodeURIComponent(PASSWORD)

/** A URL of each kind of store, by name: each starts what it needs, and stops it after the test. */
export const stores = {
  memory: async () => 'memory://',
  sqlite: async (t) => `sqlite://${join(temporary(t), 'dedup.db')}`,
  redis: async (t) => (await redis(t)).url,
  postgres: async (t) => (await postgres(t)).url,
}

/** Leaves the tests of a store out, loudly, where its server is missing; in CI that is an error. */
export const skipWithout = (store) => {
  const program = { redis: 'redis-server', postgres: 'initdb' }[store]
  if (!program || find(program)) return false
  const missing = `${program} is missing, so its store is NOT tested: scripts/doctor servers`
  if (process.env.CI) throw new Error(missing)
  console.error(`\n*** ${missing} ***\n`)
  return missing
}

/** A Redis server. */
export async function redis(t) {
  const port = await closedPort()
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--requirepass', PASSWORD]
  const child = spawn(find('redis-server'), settings, { cwd: temporary(t), stdio: ['ignore', 'pipe', 'inherit'] })
  await lineOf(child, child.stdout, 'Ready to accept connections')
  t.after(() => stop(child))
  const url = `redis://:${PASSWORD_IN_URL}@127.0.0.1:${port}/0`
  return { port, url, through: (proxy) => url.replace(String(port), String(proxy)) }
}

/** A Postgres server with the tables of the documentation. */
export async function postgres(t) {
  // A link to it is not where the server is that it belongs to.
  const initdb = realpathSync(find('initdb'))
  const directory = temporary(t)
  const [data, password] = [join(directory, 'data'), join(directory, 'password')]
  mkdirSync(data)
  writeFileSync(password, PASSWORD)
  const user = unprivileged()
  if (user.uid !== undefined) for (const path of [directory, data, password]) chownSync(path, user.uid, user.gid)
  const options = { cwd: directory, ...user }
  const made = spawnSync(initdb, ['-U', 'surehook', '--auth=scram-sha-256', '--no-sync', '-D', data, '--pwfile', password], options)
  if (made.status !== 0) throw new Error(String(made.stderr))
  const port = await closedPort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'lc_messages=C'].flatMap((one) => ['-c', one])
  const serve = [join(dirname(initdb), 'postgres'), ['-D', data, '-p', String(port), ...settings], { ...options, stdio: ['ignore', 'inherit', 'pipe'] }]
  const child = spawn(...serve)
  await lineOf(child, child.stderr, 'database system is ready to accept connections')
  t.after(() => stop(child))
  const url = `postgres://surehook:${PASSWORD_IN_URL}@127.0.0.1:${port}/postgres`
  const client = new pg.Client(url)
  await client.connect()
  for (const table of snippets(readFileSync(join(DOCS, 'dedup.md'), 'utf8'), 'sql')) await client.query(table)
  await client.end()
  return { port, url, through: (proxy) => url.replace(String(port), String(proxy)) }
}

/** A directory that is gone after the test. */
function temporary(t) {
  const directory = mkdtempSync(join(tmpdir(), 'surehook-store-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Postgres refuses to run as root. */
function unprivileged() {
  if (process.getuid?.() !== 0) return {}
  const id = (what) => Number(spawnSync('id', [what, 'postgres']).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

function find(program) {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  return [...(process.env.PATH ?? '').split(delimiter), ...versions].map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/** Waits for a line of a server's log, then reads on so that the server never waits for a reader. */
async function lineOf(child, stream, wanted) {
  const lines = []
  await new Promise((resolve, reject) => {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.includes(wanted)) resolve()
      else if (lines.length < 100) lines.push(line)
    })
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${lines.join('\n')}`)))
  })
}

async function stop(child) {
  child.kill('SIGINT')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
