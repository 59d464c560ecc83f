// Messages signed by the senders' own libraries, never by ours.
import { randomUUID } from 'node:crypto'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

export const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
export const OTHER_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export const newId = () => `msg_${randomUUID().replaceAll('-', '')}`

/** The headers Svix and Clerk send with a body of text. */
export function svixHeaders(body, { id = newId(), at = new Date(), secret = SECRET } = {}) {
  return {
    'svix-id': id,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new SvixWebhook(secret).sign(id, at, body),
  }
}

/** The same under the names of the Standard Webhooks specification. */
export function standardHeaders(body, { id = newId(), at = new Date(), secret = SECRET } = {}) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new StandardWebhook(secret).sign(id, at, body),
  }
}

/** An event as Clerk sends it. */
export function clerkEvent(type = 'user.created', data = {}) {
  const user = { id: `user_${randomUUID().slice(0, 8)}`, email_addresses: [{ email_address: 'zoë@example.com' }] }
  return JSON.stringify({ data: { ...user, ...data }, object: 'event', type, timestamp: Date.now(), instance_id: 'ins_1' })
}
