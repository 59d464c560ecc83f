/**
 * Verify, handle once and watch webhooks inside your own handler. The wrappers are in `surehook/express` and
 * `surehook/nextjs`; `Endpoint` is what they, and wrappers for other frameworks, are made of.
 */
export { flush, init, shutdown, stats, type InitOptions, type Stats } from './client'
export {
  DEDUP_RESULTS,
  DROP_REASONS,
  OUTCOMES,
  REASON_CODES,
  type DedupResult,
  type DropReason,
  type Outcome,
  type ReasonCode,
} from './codes'
export { NOT_JSON, parseJson } from './body'
export { currentDelivery, STORED_BODY_LIMIT, type Answer, type Delivery, type HandlerResponse } from './delivery'
export { Endpoint, type Decision, type IncomingWebhook } from './endpoint'
export { SurehookError, WebhookVerificationError, type Rejection } from './errors'
export type { HeadersLike } from './headers'
export type { Logger } from './logger'
export type { WebhookOptions } from './options'
export type { Payload } from './verifier'
export { verify, type VerifyOptions, type VerifyResult } from './verify'
export { Webhook } from './webhook'
