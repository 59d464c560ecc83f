// The packed tarball: both module systems, one state, types, no install scripts, and a clear word when the addon is not there.
import assert from 'node:assert/strict'
import { readFileSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { installed, run } from './support/package.mjs'
import { clerkEvent, SECRET, svixHeaders } from './support/signing.mjs'

const body = clerkEvent()
const verified = `new Webhook(${JSON.stringify(SECRET)}).verify(${JSON.stringify(body)}, ${JSON.stringify(svixHeaders(body))}).type`
const names = ['Endpoint', 'SurehookError', 'Webhook', 'WebhookVerificationError', 'currentDelivery', 'deferred', 'flush', 'init', 'shutdown', 'stats', 'verify']

test('the tarball works by require and by import', async (t) => {
  const directory = await installed(t, {
    files: {
      'required.cjs': `const { Webhook, ...all } = require('surehook')
        const { withWebhookMonitoring } = require('surehook/express')
        if (typeof withWebhookMonitoring !== 'function' || typeof require('surehook/nextjs').withSurehook !== 'function') throw new Error('adapters')
        if (![require('surehook/fastify').withWebhookMonitoring, require('surehook/pg').pgStore, require('surehook/prisma').prismaStore, require('surehook/serverless').withFlush, require('surehook/testing').capture].every((it) => typeof it === 'function')) throw new Error('adapters')
        console.log(${verified}, JSON.stringify(Object.keys({ Webhook, ...all })))`,
      'imported.mjs': `import * as all from 'surehook'
        import { withWebhookMonitoring } from 'surehook/express'
        import { withWebhookMonitoring as fastify } from 'surehook/fastify'
        import { withSurehook } from 'surehook/nextjs'
        import { pgStore } from 'surehook/pg'
        import { prismaStore } from 'surehook/prisma'
        const { Webhook } = all
        if (![withWebhookMonitoring, fastify, withSurehook, pgStore, prismaStore].every((it) => typeof it === 'function')) throw new Error('adapters')
        console.log(${verified}, JSON.stringify(Object.keys(all)))`,
      'both.mjs': `import { createRequire } from 'node:module'
        import { currentDelivery, WebhookVerificationError } from 'surehook'
        const required = createRequire(import.meta.url)('surehook')
        console.log(required.WebhookVerificationError === WebhookVerificationError, required.currentDelivery === currentDelivery)`,
      'untraced.mjs': `import { createRequire } from 'node:module'
        import { Endpoint } from 'surehook'
        import { capture, signed } from 'surehook/testing'
        import { withFlush } from 'surehook/serverless'
        try { createRequire(import.meta.url).resolve('@opentelemetry/api') } catch { var absent = true }
        const captured = capture()
        const { headers, body } = signed('clerk', { type: 'user.created' }, { secret: ${JSON.stringify(SECRET)} })
        for (const tracing of ['link', 'parent', 'off']) {
          const endpoint = new Endpoint({ provider: 'clerk', signatureSecret: ${JSON.stringify(SECRET)}, tracing, name: tracing })
          const { delivery } = endpoint.begin({ method: 'POST', path: '/', headers: Object.entries(headers).flat(), body }, null)
          await withFlush(() => delivery.handle(() => delivery.finish({ status: 200, headers: [], body: Buffer.from('ok') })))()
        }
        if (captured.attempts.every(({ outcome }) => outcome === 'processed')) console.log('handled', absent ? 'without' : 'with', 'the API of OpenTelemetry')`,
      'worker.mjs': `import { Worker, isMainThread } from 'node:worker_threads'
        import { Webhook } from 'surehook'
        console.log(${verified})
        if (isMainThread) for (let i = 0; i < 4; i++) new Worker(new URL(import.meta.url))`,
    },
  })

  const { code: tracedCode, output: traced } = await run(directory, process.execPath, ['untraced.mjs'])
  assert.equal(tracedCode, 0, traced)
  assert.equal(traced, 'handled without the API of OpenTelemetry\n')

  for (const program of ['required.cjs', 'imported.mjs']) {
    const { code, output } = await run(directory, process.execPath, [program])
    assert.equal(code, 0, output)
    assert.match(output, /^user\.created /)
    const exported = JSON.parse(output.slice('user.created '.length))
    for (const name of names) assert.ok(exported.includes(name), `${program}: ${name}`)
  }
  assert.equal((await run(directory, process.execPath, ['both.mjs'])).output, 'true true\n')
  assert.equal((await run(directory, process.execPath, ['worker.mjs'])).output, 'user.created\n'.repeat(5))

  const manifest = createRequire(join(directory, 'x.js'))('surehook/package.json')
  assert.deepEqual(Object.keys(manifest.scripts).filter((name) => /install|^pre|^post/.test(name)), [])
  assert.equal(manifest.dependencies, undefined)
  const lock = readFileSync(join(directory, 'package-lock.json'), 'utf8')
  assert.ok(!lock.includes('hasInstallScript'))

  renameSync(join(directory, 'node_modules/surehook/native'), join(directory, 'node_modules/surehook/away'))
  const { code, output } = await run(directory, process.execPath, ['required.cjs'])
  assert.equal(code, 1)
  assert.match(output, /addon of surehook could not be loaded/)
  assert.match(output, /serverExternalPackages: \['surehook'\]/)
})
