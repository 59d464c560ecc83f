// What providers ask of an endpoint before they send events, answered by the wrappers alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { init } from 'surehook'
import { hexHmac, wrappers } from './support/wrappers.mjs'

const log = []
init({ logger: { info: (line) => log.push(line), warn: (line) => log.push(line), error: (line) => log.push(line) } })

const secret = 'a signing secret that is long enough'
const meta = { provider: 'meta', signatureSecret: secret, verifyToken: 'the token of my own' }
const subscribe = (changed = {}) => `/hook?${new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.challenge': '1158201444', 'hub.verify_token': meta.verifyToken, ...changed })}`
const never = () => assert.fail('the handler must not run')

for (const [framework, serve] of Object.entries(wrappers)) {
  test(`${framework}: Meta's subscription request is answered with its challenge`, async (t) => {
    const call = await serve(t, meta, never)
    const { status, headers, text } = await call({ method: 'GET', path: subscribe() })
    assert.deepEqual([status, text], [200, '1158201444'])
    assert.match(headers['content-type'], /^text\/plain/)
  })

  for (const [what, path] of [
    ['another token', subscribe({ 'hub.verify_token': 'the token of another' })],
    ['an empty token', subscribe({ 'hub.verify_token': '' })],
    ['another mode', subscribe({ 'hub.mode': 'unsubscribe' })],
    ['no query', '/hook'],
  ]) {
    test(`${framework}: a GET with ${what} is refused like any unsigned request`, async (t) => {
      const call = await serve(t, meta, never)
      const { status, text } = await call({ method: 'GET', path })
      assert.deepEqual([status, text], [401, '{"error":"invalid webhook signature"}'])
    })
  }

  test(`${framework}: without a token, and by POST, nobody can subscribe; events pass`, async (t) => {
    const tokenless = await serve(t, { ...meta, verifyToken: undefined }, never)
    assert.equal((await tokenless({ method: 'GET', path: subscribe() })).status, 401)
    assert.equal((await tokenless({ method: 'GET', path: subscribe({ 'hub.verify_token': '' }) })).status, 401)
    const call = await serve(t, meta)
    assert.equal((await call({ path: subscribe(), body: '{}' })).status, 401)
    const body = JSON.stringify({ object: 'page', entry: [] })
    const event = await call({ path: subscribe(), headers: { 'x-hub-signature-256': `sha256=${hexHmac(secret, body)}` }, body })
    assert.deepEqual([event.status, event.text], [200, 'handled'])
  })

  test(`${framework}: Slack's and Zoom's questions are answered when they are signed, and only then`, async (t) => {
    const time = String(Math.floor(Date.now() / 1000))
    const question = JSON.stringify({ type: 'url_verification', challenge: 'abc' })
    const signature = `v0=${hexHmac(secret, `v0:${time}:${question}`)}`
    const slack = await serve(t, { provider: 'slack', signatureSecret: secret }, never)
    const headers = { 'x-slack-request-timestamp': time, 'x-slack-signature': signature }
    assert.deepEqual(JSON.parse((await slack({ headers, body: question })).text), { challenge: 'abc' })
    assert.equal((await slack({ headers: { ...headers, 'x-slack-signature': signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }, body: question })).status, 401)

    const validation = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken: 'plain' } })
    const zoom = await serve(t, { provider: 'zoom', signatureSecret: secret }, never)
    const answer = await zoom({ headers: { 'x-zm-request-timestamp': time, 'x-zm-signature': `v0=${hexHmac(secret, `v0:${time}:${validation}`)}` }, body: validation })
    assert.deepEqual(JSON.parse(answer.text), { plainToken: 'plain', encryptedToken: hexHmac(secret, 'plain') })
  })

  test(`${framework}: an answer without a body has none`, async (t) => {
    const scheme = {
      provider: 'acme', secret: 'utf8', algorithm: 'hmac_sha256', signature: { header: 'x-acme' }, content: '{body}',
      handshake: { kind: 'reply', when: { 'message_type.is': 'ping' }, status: 204 },
    }
    const call = await serve(t, { scheme, signatureSecret: secret })
    const ask = (body) => call({ headers: { 'x-acme': hexHmac(secret, body) }, body })
    const { status, text } = await ask(JSON.stringify({ message_type: { is: 'ping' } }))
    assert.deepEqual([status, text], [204, ''])
    assert.equal((await ask(JSON.stringify({ message_type: { is: 'event' } }))).text, 'handled')
  })
}

test('the token is not in the log', () => {
  assert.ok(!log.join('\n').includes(meta.verifyToken))
})
