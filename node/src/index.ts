/**
 * Verify, handle once and watch webhooks inside your own handler. The wrappers are in `surehook/express`,
 * `surehook/fastify` and `surehook/nextjs`, helpers for tests in `surehook/testing`; `Endpoint` is what they, and wrappers for other frameworks, are made of.
 */
export { flush, init, shutdown, stats, type InitOptions, type Stats } from './client'
export {
  CERTAINTIES,
  DEDUP_RESULTS,
  DROP_REASONS,
  FINDINGS,
  OUTCOMES,
  REASON_CODES,
  type Certainty,
  type DedupResult,
  type DropReason,
  type Finding,
  type Outcome,
  type ReasonCode,
} from './codes'
export type { Attempt, ToldError } from './attempt'
export { NOT_JSON, parseJson } from './body'
export type { AcceptedMessage, SignatureVerifier } from './custom-verifier'
export { deferred, type DeferredDelivery } from './deferred'
export { currentDelivery, STORED_BODY_LIMIT, type Answer, type Delivery, type HandlerResponse } from './delivery'
export { Endpoint, type Decision, type DedupCounts, type IncomingWebhook } from './endpoint'
export { BodyNotJsonError, SurehookError, WebhookVerificationError, type Diagnosis, type Rejection } from './errors'
export type { HeadersLike } from './headers'
export type { Logger } from './logger'
export type { CapturedPaths, WebhookOptions } from './options'
export type { BeforeSend } from './screening'
export type { GivenSecret, SecretFunction, SecretRequest } from './secret-function'
export type { TransactionStore } from './store'
export type { TracingMode } from './tracing'
export type { WebhookScheme } from './scheme'
export type { Payload } from './verifier'
export { verify, type VerifyOptions, type VerifyResult } from './verify'
export { Webhook, type WebhookClassOptions, type WebhookVerifyOptions } from './webhook'
