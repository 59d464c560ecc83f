// Who may read a body before the wrapper, and where it is then: each with the real framework or platform, as docs/raw-body.md lists.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { getTestServer } from '@google-cloud/functions-framework/testing'
import { http as cloudFunction } from '@google-cloud/functions-framework'
import serverlessExpress from '@codegenie/serverless-express'
import express from 'express'
import Fastify from 'fastify'
import rawBodyPlugin from 'fastify-raw-body'
import serverless from 'serverless-http'
import { init } from 'surehook'
import { withWebhookMonitoring as guardExpress } from 'surehook/express'
import { withWebhookMonitoring as guardFastify } from 'surehook/fastify'
import { withWebhookMonitoring as guardNext } from 'surehook/nextjs'
import { capture } from 'surehook/testing'
import { serve, until } from './support/server.mjs'
import { clerkEvent, newId, SECRET, svixHeaders } from './support/signing.mjs'

const log = []
const keep = (line) => log.push(line)
init({ logger: { info: keep, warn: keep, error: keep } })

const options = (more = {}) => ({ provider: 'clerk', signatureSecret: SECRET, name: newId(), ...more })
const JSON_TYPE = { 'content-type': 'application/json' }
const echo = (req, res) => { res.json({ type: req.body.type, raw: Buffer.from(req.rawBody).toString('base64') }) }
const expected = (body) => ({ type: 'user.created', raw: Buffer.from(body).toString('base64') })

/** Signed bytes that are not what JSON.stringify makes of them. */
function message() {
  const body = `${clerkEvent('user.created', { name: 'Zoë 🦊' }).replaceAll(':', ' : ')}\n`
  return { body, headers: { ...JSON_TYPE, ...svixHeaders(body) } }
}

/** Serves an Express application for one test. */
async function serving(t, build) {
  const app = express()
  build(app)
  const server = await serve(app)
  t.after(() => server.close())
  return server
}

async function sees(server, path = '/hook') {
  const { body, headers } = message()
  const response = await server.post(path, body, headers)
  assert.equal(response.status, 200, log.join('\n'))
  assert.deepEqual(await response.json(), expected(body))
}

for (const [what, parser] of [
  ['express.text()', express.text({ type: '*/*' })],
  ['express.raw()', express.raw({ type: '*/*' })],
  ['express.json() that keeps the bytes', express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } })],
  ['express.text() for another type', express.text({ type: 'text/csv' })],
]) {
  test(`Express: after ${what}`, async (t) => {
    await sees(await serving(t, (app) => app.use(parser).post('/hook', guardExpress(options()), echo)))
  })
}

test('Express: the log names Express and NestJS where the bytes are gone', async (t) => {
  const server = await serving(t, (app) => app.use(express.json()).post('/hook', guardExpress(options()), echo))
  const { body, headers } = message()
  log.length = 0
  assert.equal((await server.post('/hook', body, headers)).status, 401)
  assert.ok(log.some((line) => /Express: .*req\.rawBody = bytes.*NestJS: .*rawBody: true/.test(line)), log.join('\n'))
})

for (const [what, wrap] of [
  ['serverless-http', (app) => serverless(app)],
  ['@codegenie/serverless-express', (app) => serverlessExpress({ app })],
]) {
  for (const [how, parser] of [['nothing', null], ['express.raw()', express.raw({ type: '*/*' })], ['a json parser behind the wrapper', 'behind']]) {
    test(`AWS Lambda, ${what}: the headers and the body of an event, with ${how} around`, async () => {
      const app = express()
      if (typeof parser === 'function') app.use(parser)
      app.post('/hook', guardExpress(options()), ...(parser === 'behind' ? [express.json()] : []), echo)
      const { body, headers } = message()
      for (const isBase64Encoded of [false, true]) {
        const own = { ...headers, ...svixHeaders(body) }
        const event = {
          version: '2.0', routeKey: '$default', rawPath: '/hook', rawQueryString: '', headers: { host: 'x.lambda-url', ...own },
          requestContext: { http: { method: 'POST', path: '/hook', sourceIp: '192.0.2.1' }, stage: '$default' },
          body: isBase64Encoded ? Buffer.from(body).toString('base64') : body, isBase64Encoded,
        }
        const answer = await wrap(app)(event, {}, () => {})
        assert.equal(answer.statusCode, 200, `${answer.body} ${log.join('\n')}`)
        assert.deepEqual(JSON.parse(answer.body), expected(body))
      }
    })
  }
}

test('Firebase and Google Cloud Functions: the bytes that the platform keeps', async (t) => {
  const guard = guardExpress(options(), echo)
  cloudFunction('hook', (req, res) => guard(req, res, (error) => res.status(500).send(String(error))))
  const server = getTestServer('hook').listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address()
  await sees({ post: (path, body, headers) => fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers }) })
})

for (const [what, nest] of [['rawBody: true', { rawBody: true }], ['no body parser', { bodyParser: false }]]) {
  test(`NestJS: a controller behind the wrapper, with ${what}`, async (t) => {
    await import('reflect-metadata')
    const { Controller, Module, Post, Req } = await import('@nestjs/common')
    const { NestFactory } = await import('@nestjs/core')
    class Hooks { hook(req) { return { type: req.body.type, raw: Buffer.from(req.rawBody).toString('base64') } } }
    Controller('hook')(Hooks)
    Post()(Hooks.prototype, 'hook', Object.getOwnPropertyDescriptor(Hooks.prototype, 'hook'))
    Req()(Hooks.prototype, 'hook', 0)
    class App {
      configure(consumer) { consumer.apply(guardExpress(options())).forRoutes(Hooks) }
    }
    Module({ controllers: [Hooks] })(App)
    const app = await NestFactory.create(App, { ...nest, logger: false })
    await app.listen(0, '127.0.0.1')
    t.after(() => app.close())
    const url = await app.getUrl()
    const { body, headers } = message()
    const response = await fetch(`${url}/hook`, { method: 'POST', body, headers })
    assert.equal(response.status, 201, log.join('\n'))
    assert.deepEqual(await response.json(), expected(body))
    const retry = await fetch(`${url}/hook`, { method: 'POST', body, headers })
    assert.deepEqual([retry.status, retry.headers.get('idempotent-replayed'), await retry.json()], [201, 'true', expected(body)])
  })
}

/** Vercel's Node functions: the body is read first, the stream gives it again to listeners, and `body` is parsed when it is asked for. */
function asVercel(listener) {
  return async (req, res) => {
    const bytes = Buffer.concat(await req.toArray())
    const { on } = req
    req.read = () => null
    req.on = (name, call) => {
      if (name === 'data') setImmediate(() => call(bytes))
      else if (name === 'end') setTimeout(call, 5)
      else on.call(req, name, call)
      return req
    }
    Object.defineProperty(req, 'body', {
      configurable: true,
      get: () => { throw Object.assign(new Error('Invalid JSON'), { statusCode: 400 }) },
      set: (value) => { Object.defineProperty(req, 'body', { value, writable: true, configurable: true }) },
    })
    listener(req, res)
  }
}

test('Vercel functions: the bytes that its helpers give again', async (t) => {
  const guard = guardExpress(options(), (req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ type: req.body.type, raw: Buffer.from(req.rawBody).toString('base64') }))
  })
  const server = await serve(asVercel((req, res) => guard(req, res, (error) => { res.statusCode = 500; res.end(String(error)) })))
  t.after(() => server.close())
  await sees(server)
})

for (const [variable, named] of [['VERCEL', /Vercel/], ['FUNCTION_TARGET', /Firebase and Google Cloud Functions/], ['AWS_LAMBDA_FUNCTION_NAME', /AWS Lambda/]]) {
  test(`the advice names the platform that ${variable} shows`, async (t) => {
    process.env[variable] = 'x'
    t.after(() => delete process.env[variable])
    const { withPlatform } = await import(`../dist/advice.js?${variable}`)
    assert.match(withPlatform('Express: x'), named)
    assert.match(withPlatform('Express: x'), /^Express: x/)
  })
}

for (const [what, plugin] of [['after the wrapper', {}], ['before the wrapper', { runFirst: true }], ['as bytes', { runFirst: true, encoding: false }]]) {
  test(`Fastify: fastify-raw-body, ${what}`, async (t) => {
    const app = Fastify()
    await app.register(rawBodyPlugin, plugin)
    app.post('/hook', guardFastify(options()), async (request) => ({ type: request.body.type, raw: Buffer.from(request.rawBody).toString('base64') }))
    t.after(() => app.close())
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    await sees({ post: (path, body, headers) => fetch(url + path, { method: 'POST', body, headers }) })
  })
}

test('Fastify: a hook that read the request is asked for the bytes it kept, and refused without them', async (t) => {
  const app = Fastify()
  app.addHook('preParsing', async (request, _reply, payload) => {
    const bytes = Buffer.concat(await payload.toArray())
    if (request.headers['x-keep']) request.rawBody = bytes
    return payload
  })
  app.post('/hook', guardFastify(options()), async (request) => ({ type: request.body.type, raw: Buffer.from(request.rawBody).toString('base64') }))
  t.after(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  await sees({ post: (path, body, headers) => fetch(url + path, { method: 'POST', body, headers: { ...headers, 'x-keep': '1' } }) })
  const { body, headers } = message()
  log.length = 0
  assert.equal((await fetch(`${url}/hook`, { method: 'POST', body, headers })).status, 401)
  assert.ok(log.some((line) => line.includes('Fastify: ')), log.join('\n'))
})

test('Fastify: a request that was injected, as on AWS Lambda, has its headers', async (t) => {
  const app = Fastify()
  app.post('/hook', guardFastify(options()), async (request) => ({ type: request.body.type, raw: Buffer.from(request.rawBody).toString('base64') }))
  t.after(() => app.close())
  const { body, headers } = message()
  const answer = await app.inject({ method: 'POST', url: '/hook', headers, payload: body })
  assert.deepEqual([answer.statusCode, answer.json()], [200, expected(body)], log.join('\n'))
})

test('Next.js: middleware that cloned the request leaves the bytes; one that read it does not, and the log says so', async () => {
  const POST = guardNext(options(), async (request) => Response.json({ type: (await request.json()).type }))
  const { body, headers } = message()
  const request = () => new Request('http://localhost/hook', { method: 'POST', body, headers: { ...headers, ...svixHeaders(body) } })
  const cloned = request()
  await cloned.clone().json()
  assert.equal((await POST(cloned, {})).status, 200)
  const read = request()
  await read.json()
  log.length = 0
  assert.equal((await POST(read, {})).status, 401)
  assert.ok(log.some((line) => line.includes('Next.js: ') && line.includes('request.clone()')), log.join('\n'))
})

let kept
before(() => { kept = capture() })
after(() => kept.stop())

const halfway = {
  async Express(t) {
    return (await serving(t, (app) => app.post('/hook', guardExpress(options()), () => assert.fail('it runs nothing')))).port
  },
  async Fastify(t) {
    const app = Fastify()
    app.post('/hook', guardFastify(options()), () => assert.fail('it runs nothing'))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
  async 'Express, without verification'(t) {
    return (await serving(t, (app) => app.post('/hook', guardExpress(options({ verification: 'off' })), () => assert.fail('it runs nothing')))).port
  },
}
for (const [name, start] of Object.entries(halfway)) {
  for (const [how, extra] of [['an announced length', { 'content-length': 5000 }], ['chunks', { 'transfer-encoding': 'chunked' }]]) {
    test(`${name}: a sender that leaves halfway through a body of ${how} leaves a record`, async (t) => {
      const port = await start(t)
      const { body, headers } = message()
      kept.clear()
      const request = http.request({ port, host: '127.0.0.1', path: '/hook', method: 'POST', agent: false, headers: { ...headers, ...extra } })
      request.on('error', () => {})
      request.write(body.slice(0, 40))
      await once(request, 'socket')
      await until(() => request.socket.bytesWritten > 40, 'half of it to be sent')
      await new Promise((resolve) => setTimeout(resolve, 50))
      request.destroy()
      await until(() => kept.attempts.length === 1, 'the record')
      const { outcome, verification, sender_left: left } = kept.one()
      assert.deepEqual([outcome, verification.code, left], ['rejected', 'body_unavailable', true])
    })
  }
}

test('Next.js: a sender that leaves halfway through the body leaves a record', async () => {
  kept.clear()
  const { body, headers } = message()
  const stream = new ReadableStream({
    start(controller) { controller.enqueue(new TextEncoder().encode(body.slice(0, 40))) },
    pull() { throw new Error('aborted') },
  })
  const POST = guardNext(options(), () => assert.fail('it runs nothing'))
  await POST(new Request('http://localhost/hook', { method: 'POST', body: stream, headers, duplex: 'half' }), {})
  const { outcome, verification, sender_left: left } = kept.one()
  assert.deepEqual([outcome, verification.code, left], ['rejected', 'body_unavailable', true])
})
