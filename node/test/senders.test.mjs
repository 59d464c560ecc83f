// Whoever signs with another secret is another sender, whatever the endpoints are called.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Endpoint, init, SurehookError } from 'surehook'
import { clerkEvent, newId, OTHER_SECRET, SECRET, svixHeaders } from './support/signing.mjs'
import { skipWithout, stores } from './support/stores.mjs'

const log = []
const keep = (line) => log.push(line)
init({ logger: { info: keep, warn: keep, error: keep } })

/** Printable behind its base64, as a person would make it: its tag takes a while. */
const CHOSEN = `whsec_${Buffer.from('correct horse battery staple').toString('base64')}`
const body = clerkEvent()

/** Whether the handler ran. */
async function handle(endpoint, id, secret = SECRET) {
  const headers = Object.entries(svixHeaders(body, { id, secret })).flat()
  const { answer, delivery } = await endpoint.begin({ method: 'POST', path: '/', headers, body: Buffer.from(body) }, undefined)
  if (answer) assert.equal(answer.status, 200)
  await delivery?.finish({ status: 200, headers: [], body: Buffer.from('done') })
  return delivery !== undefined
}

for (const [kind, open] of Object.entries(stores)) {
  test(`${kind}: applications on one store share nothing, and a rotation runs nothing twice`, { skip: skipWithout(kind) }, async (t) => {
    const dedup = await open(t)
    let name = newId()
    const application = (...signatureSecret) => new Endpoint({ provider: 'clerk', signatureSecret, name, dedup })
    const [mine, theirs, message] = [application(SECRET), application(OTHER_SECRET), newId()]
    assert.deepEqual([await handle(mine, message), await handle(theirs, message, OTHER_SECRET)], [true, true])
    assert.deepEqual([await handle(mine, message), await handle(theirs, message, OTHER_SECRET)], [false, false])

    name = newId()
    const rotated = newId()
    assert.equal(await handle(application(SECRET), rotated), true)
    assert.equal(await handle(application(CHOSEN, SECRET), rotated), false)
    assert.equal(await handle(application(SECRET, CHOSEN), rotated, CHOSEN), false)
    assert.equal(await handle(application(CHOSEN), rotated, CHOSEN), false)
  })
}

test('a namespace keeps apart what signs alike', async (t) => {
  const [dedup, name, message] = [await stores.sqlite(t), newId(), newId()]
  for (const options of [{}, { namespace: 'shop' }, { dedup: `${dedup}?namespace=blog` }]) {
    const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, name, dedup, ...options })
    assert.deepEqual([await handle(endpoint, message), await handle(endpoint, message)], [true, false])
  }
  for (const namespace of ['', 7]) {
    assert.throws(() => new Endpoint({ provider: 'clerk', signatureSecret: SECRET, namespace }), SurehookError)
  }
})

test('the tag of a secret that a person chose is not made on the event loop, nor for what does not verify', async (t) => {
  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: CHOSEN, name: newId(), dedup: await stores.sqlite(t) })
  const request = (secret) => ({ method: 'POST', path: '/', headers: Object.entries(svixHeaders(body, { secret })).flat(), body: Buffer.from(body) })
  assert.ok(!(endpoint.begin(request(SECRET), undefined) instanceof Promise), 'nothing is made for a forgery')
  const begun = endpoint.begin(request(CHOSEN), undefined)
  assert.ok(begun instanceof Promise)
  await (await begun).delivery.finish({ status: 200, headers: [], body: null })
  const next = endpoint.begin(request(CHOSEN), undefined)
  assert.ok(!(next instanceof Promise), 'it is made once')
  await next.delivery.finish({ status: 200, headers: [], body: null })
})

const ask = async (said, options) => {
  const endpoint = new Endpoint({ provider: 'acme', signatureVerifier: () => said, ...options })
  const { answer, delivery } = await endpoint.begin({ method: 'POST', path: '/', headers: [], body: Buffer.from('{}') }, undefined)
  delivery?.finish({ status: 200, headers: [], body: null })
  return answer?.status ?? 'handled'
}

test('a verifier of one\'s own may name the sender', async () => {
  const name = newId()
  for (const said of [{ id: '1', sender: 'a' }, { id: '1', sender: 'b' }, { id: '1' }, { sender: 'a' }]) assert.equal(await ask(said, { name }), 'handled')
  for (const said of [{ id: '1', sender: 'b' }, '1', { id: '1', sender: undefined }]) assert.equal(await ask(said, { name }), 200)
  for (const said of [{}, { id: '' }, { sender: 1 }, { id: '1', tenant: 'a' }, ['1'], new Date(), new Error('no'), new Map()]) assert.equal(await ask(said, { name }), 401)
})

test('an id of one\'s own verifier counts as signed, for every provider', async () => {
  const name = newId()
  for (const provider of ['github', 'shopify', 'sentry']) {
    for (const [said, came] of [['1', 'handled'], ['1', 200], ['2', 'handled']]) assert.equal(await ask(said, { provider, name }), came)
  }
})

test('a message of a store in memory can be let run again', async () => {
  const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: SECRET, name: newId() })
  const id = newId()
  assert.equal(await endpoint.forget({ id }), false)
  assert.deepEqual([await handle(endpoint, id), await handle(endpoint, id)], [true, false])
  assert.equal(await endpoint.forget({ id }), true)
  assert.equal(await handle(endpoint, id), true)
  for (const names of [{}, { id, dedupKey: '1' }, { id: 1 }, { dedupKey: 'canary' }]) {
    assert.throws(() => endpoint.forget(names), (error) => error instanceof SurehookError && !error.message.includes('canary'))
  }
  const github = new Endpoint({ provider: 'github', signatureSecret: CHOSEN, name: newId() })
  assert.throws(() => github.forget({ id }), SurehookError)
})

test('a package names its application', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'surehook-package-'))
  t.after(() => { rmSync(folder, { recursive: true, force: true }) })
  const below = join(folder, 'src')
  mkdirSync(below)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'shop' }))
  const main = new URL('./service.js', import.meta.resolve('surehook')).href
  const program = `import(${JSON.stringify(main)}).then((service) => console.log((service.default ?? service).packageName()))`
  assert.equal(execFileSync(process.execPath, ['-e', program], { cwd: below, encoding: 'utf8' }).trim(), 'shop')
})
