// Measures what the package takes of its process. MODE says what; the last line of the output is the figure, as JSON.
import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { flush, init, shutdown } from 'surehook'
import { clerkEndpoint } from '../support/deliveries.mjs'
import { SECRET } from '../support/signing.mjs'

const quiet = { info() {}, warn() {}, error() {} }
const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
const BODY = Buffer.from(JSON.stringify({ type: 'user.created', data: { id: 'user_1', note: 'x'.repeat(900) } }))
const count = Number(process.env.COUNT)

const names = () => readdirSync('/proc/self/task').map((task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim())
const ours = () => names().filter((name) => name.startsWith('surehook'))
/** The thread that watches deliveries starts with the first one, and stays; all others end with what they serve. */
const ended = async () => { while (ours().some((name) => name !== 'surehook-io')) await new Promise((resolve) => setTimeout(resolve, 10)) }
const descriptors = () => readdirSync('/proc/self/fd').length

/** The memory of the process, in MiB, without garbage. */
async function memory() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await turn()
  }
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
}

const turn = () => new Promise((resolve) => { setImmediate(resolve) })

let last = 0
/** Handles events, each with an id of its own. What the collector of garbage finds in the addon is freed when the loop turns. */
async function handle(endpoint, events) {
  for (let i = 0; i < events; i++) {
    if (i % 100 === 99) await turn()
    const [id, at] = [`msg_${++last}`, String(Math.floor(Date.now() / 1000))]
    const signature = createHmac('sha256', KEY).update(`${id}.${at}.`).update(BODY).digest('base64')
    const headers = ['svix-id', id, 'svix-timestamp', at, 'svix-signature', `v1,${signature}`]
    const { delivery } = endpoint.begin({ method: 'POST', path: '/hook', headers, body: BODY }, null)
    delivery.step('profile')
    delivery.finish({ status: 200, headers: ['content-type', 'text/plain'], body: Buffer.from('ok') })
  }
}

/** In the place of an endpoint, for what the measuring itself takes. */
const idle = { begin: () => ({ delivery: { step() {}, finish() {} } }) }

const measures = {
  async threads() {
    const imported = names().length
    init({ logger: quiet })
    const endpoint = clerkEndpoint()
    const before = { ours: ours(), all: names().length - imported }
    await handle(endpoint, 10)
    // A thread names itself.
    while (ours().length < names().length - imported) await turn()
    const after = { ours: ours(), all: names().length - imported }
    return { before, after }
  },
  async 'added memory'() {
    init({ logger: quiet })
    const endpoint = process.env.CONTROL ? idle : clerkEndpoint({ dedup: process.env.DEDUP })
    await handle(idle, 1000)
    const before = await memory()
    for (let i = 0; i < 10; i++) {
      await handle(endpoint, 1000)
      await flush()
    }
    return { mebibytes: await memory() - before }
  },
  // Every store of the process is full before the first look: the queue, the memory of messages, the heap. What is told is by how
  // much the end of the second half lies above the end of the first.
  async slope() {
    init({ logger: quiet })
    const endpoint = clerkEndpoint({ dedup: process.env.DEDUP })
    await handle(endpoint, Number(process.env.WARM_UP))
    const readings = []
    for (let i = 0; i < 20; i++) {
      await handle(endpoint, count / 20)
      readings.push(await memory())
    }
    const mean = (from) => readings.slice(from, from + 5).reduce((sum, reading) => sum + reading, 0) / 5
    return { mebibytes: mean(15) - mean(5), readings: readings.map(Math.round) }
  },
  async cycles() {
    const cycle = async () => {
      init({ apiKey: 'shk_test', endpoint: process.env.SUREHOOK_ENDPOINT, logger: quiet, beforeSend: (attempt) => attempt })
      await shutdown(0)
    }
    const endpoint = clerkEndpoint()
    const withEvent = async () => {
      init({ apiKey: 'shk_test', endpoint: process.env.SUREHOOK_ENDPOINT, logger: quiet })
      await handle(endpoint, 1)
      await shutdown(0)
    }
    for (let i = 0; i < 100; i++) { await cycle(); await withEvent() }
    await ended()
    const before = { threads: names().length, descriptors: descriptors(), memory: await memory() }
    for (let i = 0; i < count; i++) await cycle()
    for (let i = 0; i < count / 10; i++) await withEvent()
    await ended()
    return { before, after: { threads: names().length, descriptors: descriptors(), memory: await memory() } }
  },
}

if (isMainThread) {
  const figure = await measures[process.env.MODE]()
  console.log(JSON.stringify(figure))
  process.reallyExit(0)
}
