// What the packages of npm say to the requests and secrets on stdin: {"requests": {id: {peer: answer}}, "secrets": …} on
// stdout. Run by peers.py, which says whose requests are put to which package.

import { readFileSync } from 'node:fs'
import { verifyWebhook } from '@clerk/backend/webhooks'
import { sign as signGitHub, verify as verifyGitHub } from '@octokit/webhooks-methods'
import * as standardwebhooks from 'standardwebhooks'
import Stripe from 'stripe'
import * as svix from 'svix'

const stripe = Stripe.webhooks
const task = JSON.parse(readFileSync(0, 'utf8'))

// The row cannot be given to this package: its headers do not fit into a Request.
class CannotBeGiven extends Error {}
class Refused extends Error {}

async function answer(act) {
  try {
    await act()
    return 'accepts'
  } catch (error) {
    if (error instanceof CannotBeGiven) return undefined
    return isRefusal(error) ? 'refuses' : `raises ${error.name}`
  }
}

const isRefusal = (error) =>
  error instanceof Refused ||
  ['WebhookVerificationError', 'StripeSignatureVerificationError'].includes(error.type ?? error.name) ||
  /Unable to verify incoming webhook|Missing required webhook headers/.test(error.message)

const textOf = (value) => (typeof value === 'string' ? value : Buffer.from(value.base64, 'base64').toString('latin1'))

// As node:http hands them over: lower-case names, repeated values joined.
function headerObject(row) {
  const headers = {}
  for (const [name, value] of row.headers) {
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${textOf(value)}` : textOf(value)
  }
  return headers
}

// For a package that knows one family of names: requests with none of them are given to it under them.
const PARTS = ['id', 'timestamp', 'signature']
const renamed = (own, other) => (row) => {
  const headers = headerObject(row)
  if (PARTS.some((part) => `${own}-${part}` in headers)) return headers
  const names = Object.fromEntries(PARTS.map((part) => [`${other}-${part}`, `${own}-${part}`]))
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [names[name] ?? name, value]))
}
const underWebhookNames = renamed('webhook', 'svix')
const underSvixNames = renamed('svix', 'webhook')

function requestOf(row, body) {
  try {
    return new Request('http://localhost/', { method: 'POST', headers: underSvixNames(row), body })
  } catch {
    throw new CannotBeGiven()
  }
}

function refuseUnless(accepted) {
  if (!accepted) throw new Refused()
}

const verify = {
  'svix (npm)': (row, body, secret) => new svix.Webhook(secret).verify(body, headerObject(row)),
  'standardwebhooks (npm)': (row, body, secret) =>
    new standardwebhooks.Webhook(secret).verify(body, underWebhookNames(row), { jsonParse: false }),
  '@clerk/backend (npm)': (row, body, signingSecret) => verifyWebhook(requestOf(row, body), { signingSecret }),
  'stripe (npm)': (row, body, secret) => stripe.signature.verifyHeader(body, headerObject(row)['stripe-signature'], secret),
  '@octokit/webhooks-methods (npm)': async (row, body, secret) =>
    refuseUnless(await verifyGitHub(secret, body.toString(), headerObject(row)['x-hub-signature-256'])),
}

async function clerkTakes(signingSecret) {
  const headers = { 'svix-id': 'msg_1', 'svix-timestamp': String(Math.floor(Date.now() / 1000)), 'svix-signature': 'v1,' }
  const body = '{}'
  const request = new Request('http://localhost/', { method: 'POST', headers, body })
  await verifyWebhook(request, { signingSecret }).catch((error) => {
    if (!isRefusal(error)) throw error
  })
}

const build = {
  'svix (npm)': (secret) => new svix.Webhook(secret),
  'standardwebhooks (npm)': (secret) => new standardwebhooks.Webhook(secret),
  '@clerk/backend (npm)': clerkTakes,
  'stripe (npm)': (secret) =>
    stripe.signature.verifyHeader('{}', stripe.generateTestHeaderString({ payload: '{}', secret }), secret),
  '@octokit/webhooks-methods (npm)': async (secret) => verifyGitHub(secret, '{}', await signGitHub(secret, '{}')),
}

// One secret after the other: accepted if one accepts, otherwise the answer of the last.
async function verdict(peer, row) {
  Date.now = () => row.now * 1000
  const body = Buffer.from(row.body, 'base64')
  const said = []
  for (const secret of row.secrets) said.push(await answer(() => verify[peer](row, body, secret)))
  return said.includes('accepts') ? 'accepts' : said.at(-1)
}

async function answers(rows, asked, ask) {
  const found = {}
  for (const row of rows) {
    found[row.id] = {}
    for (const peer of Object.keys(asked)) {
      if (task.peers[peer].includes(row.provider)) found[row.id][peer] = await ask(peer, row)
    }
  }
  return found
}

process.stdout.write(
  JSON.stringify({
    requests: await answers(task.requests, verify, verdict),
    secrets: await answers(task.secrets, build, (peer, row) => answer(() => build[peer](row.secret))),
  }),
)
