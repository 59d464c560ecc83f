// A secret that cannot protect anything is an error when the wrapper is built, not with the first webhook.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { SurehookError, Webhook } from 'surehook'
import { withWebhookMonitoring as express } from 'surehook/express'
import { withWebhookMonitoring as nextjs } from 'surehook/nextjs'
import { SECRET } from './support/signing.mjs'

const wrappers = {
  express: (options) => express({ provider: 'clerk', ...options }),
  nextjs: (options) => nextjs({ provider: 'clerk', ...options }, () => new Response()),
}

const degenerate = [
  ['undefined', undefined, 'secret_missing'],
  ['null', null, 'secret_missing'],
  ['a number', 42, 'secret_missing'],
  ['an object', { secret: SECRET }, 'secret_missing'],
  ['an empty list', [], 'secret_missing'],
  ['a list with a hole', [SECRET, undefined], 'secret_missing'],
  ['empty text', '', 'secret_invalid'],
  ['a space', ' ', 'secret_invalid'],
  ['the prefix alone', 'whsec_', 'secret_invalid'],
  ['a short key', 'whsec_bw==', 'secret_invalid'],
  ['a word', 'changeme', 'secret_invalid'],
  ['a template that was not filled in', '${CLERK_WEBHOOK_SIGNING_SECRET}', 'secret_invalid'],
  ['quotes around it', `"${SECRET}"`, 'secret_invalid'],
]

afterEach(() => {
  delete process.env.CLERK_WEBHOOK_SIGNING_SECRET
  delete process.env.CLERK_WEBHOOK_SECRET
})

for (const [name, wrap] of Object.entries(wrappers)) {
  for (const [what, signatureSecret, code] of degenerate) {
    test(`${name} refuses ${what}`, () => {
      assert.throws(
        () => wrap({ signatureSecret }),
        (error) => {
          assert.ok(error instanceof SurehookError)
          assert.equal(error.code, code)
          if (code === 'secret_missing') assert.match(error.message, /CLERK_WEBHOOK_SIGNING_SECRET/)
          assert.ok(!error.message.includes(SECRET))
          return true
        },
      )
    })
  }

  test(`${name} takes the secret from the provider's variables, the newer name first`, () => {
    process.env.CLERK_WEBHOOK_SECRET = SECRET
    wrap({})
    process.env.CLERK_WEBHOOK_SIGNING_SECRET = ''
    assert.throws(() => wrap({}), /CLERK_WEBHOOK_SIGNING_SECRET/)
    process.env.CLERK_WEBHOOK_SIGNING_SECRET = SECRET
    wrap({})
  })

  test(`${name} says which option is wrong`, () => {
    const signatureSecret = SECRET
    assert.throws(() => wrap({ signatureSecret, provider: 'nobody' }), { code: 'unknown_provider' })
    assert.throws(() => wrap({ signatureSecret, provider: undefined }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, idempotencyKey: 'svix-id' }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, rejectStatus: 200 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, toleranceSeconds: 0 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, maxBodyBytes: 0.5 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, dedupTtlSeconds: 1 }), { code: 'invalid_option' })
    assert.throws(() => wrap({ signatureSecret, onSilentDrop: 'explode' }), SurehookError)
    assert.throws(() => wrap({ signatureSecret, name: 7 }), SurehookError)
  })
}

test('the class refuses them too', () => {
  for (const [what, secret] of degenerate) assert.throws(() => new Webhook(secret), SurehookError, what)
})
