// Generated from tests/contract/codes.json by `npm run generate`. Do not edit.

/** Why a request was refused. */
export const REASON_CODES = [
  'missing_header',
  'duplicate_header',
  'mixed_header_family',
  'malformed_message_id',
  'malformed_timestamp',
  'timestamp_too_old',
  'timestamp_too_new',
  'malformed_signature',
  'too_many_signatures',
  'no_supported_version',
  'signature_mismatch',
  'body_unavailable',
  'body_too_large',
  'replayed',
  'secret_invalid',
  'secret_missing',
  'secret_unknown',
  'verifier_error',
] as const

/** Why a request was refused. */
export type ReasonCode = (typeof REASON_CODES)[number]

/** The cause that a diagnosis names. */
export const FINDINGS = [
  'secret_of_another_endpoint',
  'secret_not_decoded',
  'secret_double_encoded',
  'secret_whitespace_or_quotes',
  'body_reserialized',
  'body_newline_changed',
  'body_trailing_newline',
  'body_bom',
  'body_base64',
  'body_gzipped',
  'body_form_wrapped',
  'body_decoded_lossily',
  'body_truncated',
  'body_empty_was_consumed',
  'timestamp_units',
  'clock_skew',
  'header_rewritten',
  'test_live_mix',
  'not_a_webhook_secret',
] as const

/** The cause that a diagnosis names. */
export type Finding = (typeof FINDINGS)[number]

/** How sure a diagnosis is: an experiment verified, or only the shape speaks for it. */
export const CERTAINTIES = [
  'proved',
  'likely',
] as const

/** How sure a diagnosis is: an experiment verified, or only the shape speaks for it. */
export type Certainty = (typeof CERTAINTIES)[number]

/** What became of an attempt. */
export const OUTCOMES = [
  'processed',
  'silent_drop',
  'failed',
  'rejected',
  'in_flight',
  'unavailable',
  'duplicate',
  'ignored',
  'deferred',
] as const

/** What became of an attempt. */
export type Outcome = (typeof OUTCOMES)[number]

/** Why a recorded attempt never reached the collector. */
export const DROP_REASONS = [
  'queue_full',
  'spool_full',
  'too_large',
  'rejected_by_server',
  'network',
  'shutdown_timeout',
  'internal_error',
  'fork',
  'before_send',
] as const

/** Why a recorded attempt never reached the collector. */
export type DropReason = (typeof DROP_REASONS)[number]

/** What de-duplication said of an attempt. */
export const DEDUP_RESULTS = [
  'off',
  'new',
  'duplicate',
  'in_flight',
  'id_reuse',
  'same_body_other_id',
  'repeated',
  'fenced',
  'unavailable',
] as const

/** What de-duplication said of an attempt. */
export type DedupResult = (typeof DEDUP_RESULTS)[number]
