// Which npm packages accept the good messages of the providers. Run by generate.py: a JSON list of {package, row} on
// stdin, a JSON list of true and false on stdout.

import { readFileSync } from 'node:fs'
import '@shopify/shopify-api/adapters/node'
import { Client as WhatsApp } from '@great-detail/whatsapp'
import { LinearWebhookClient } from '@linear/sdk/webhooks'
import { verify as verifyGitHub } from '@octokit/webhooks-methods'
import { ApiVersion, shopifyApi } from '@shopify/shopify-api'
import { AwsLambdaReceiver } from '@zoom/rivet/meetings'
import { verifyKey } from 'discord-interactions'
import { validateWebhook } from 'replicate'
import * as standardwebhooks from 'standardwebhooks'
import * as svix from 'svix'
import XHubSignature from 'x-hub-signature'

// What the packages print goes to stderr.
console.log = console.debug = console.info = console.error

async function shopify({ headers, body, secret }) {
  const { webhooks } = shopifyApi({
    apiKey: '-',
    apiSecretKey: secret,
    apiVersion: ApiVersion.October25,
    hostName: 'app.example.com',
    isEmbeddedApp: false,
    logger: { level: 0 },
  })
  const rawRequest = { method: 'POST', url: '/', headers }
  return (await webhooks.validate({ rawBody: body.toString(), rawRequest, rawResponse: {} })).valid
}

async function zoom({ headers, body, secret }) {
  const receiver = new AwsLambdaReceiver({ webhooksSecretToken: secret })
  receiver.init({ eventEmitter: { emit: async () => {} } })
  return (await receiver.start()({ body: body.toString(), headers })).statusCode === 200
}

async function whatsApp({ headers, body, secret }) {
  const { webhook } = new WhatsApp()
  return (await webhook.eventNotification({ method: 'POST', headers, body: body.toString() })).checkSignature(secret)
}

function xHub({ headers, body, secret }) {
  const signature = headers['x-hub-signature-256'] ?? headers['x-hub-signature']
  return new XHubSignature(signature.split('=')[0], secret).verify(signature, body.toString())
}

const accepts = {
  '@great-detail/whatsapp': whatsApp,
  '@linear/sdk': ({ headers, body, secret }) => new LinearWebhookClient(secret).verify(body, headers['linear-signature']),
  '@octokit/webhooks-methods': ({ headers, body, secret }) =>
    verifyGitHub(secret, body.toString(), headers['x-hub-signature-256']),
  '@shopify/shopify-api': shopify,
  '@zoom/rivet': zoom,
  'discord-interactions': ({ headers, body, secret }) =>
    verifyKey(body, headers['x-signature-ed25519'], headers['x-signature-timestamp'], secret),
  replicate: ({ headers, body, secret }) => validateWebhook({ headers, body: body.toString() }, secret),
  standardwebhooks: ({ headers, body, secret }) => !!new standardwebhooks.Webhook(secret).verify(body, headers),
  svix: ({ headers, body, secret }) => !!new svix.Webhook(secret).verify(body, headers),
  'x-hub-signature': xHub,
}

async function accepted({ package: name, row }) {
  Date.now = () => row.now * 1000
  const headers = Object.fromEntries(row.headers.map(([header, value]) => [header.toLowerCase(), value]))
  const body = Buffer.from(row.body, 'base64')
  for (const secret of row.secrets) {
    try {
      if ((await accepts[name]({ headers, body, secret })) === true) return true
    } catch {
      // What a package throws is a refusal.
    }
  }
  return false
}

const answers = []
for (const task of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await accepted(task))
process.stdout.write(JSON.stringify(answers))
