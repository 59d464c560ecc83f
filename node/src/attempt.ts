import type { DedupResult, Outcome, ReasonCode } from './codes'
import type { Diagnosis } from './errors'

/** An error as it is told: redacted, its message cut to 1,000 bytes. */
export interface ToldError {
  type: string
  message: string
  /** The same for errors of one cause. */
  fingerprint: string
}

/** The record of one attempt, as it is sent to the collector. Times are microseconds since the Unix epoch. */
export interface Attempt {
  /** A UUIDv7; it stays what it is, whatever `beforeSend` makes of it. */
  id: string
  /** The attempt whose deferred work this is the end of. */
  continues?: string
  endpoint: string
  provider: string
  message_id?: string
  event_type?: string
  entity_id?: string
  received_at: number
  provider_timestamp?: number
  duration_us: number
  status?: number
  /** The sender closed the connection before it was answered: the status never reached it. */
  sender_left?: boolean
  outcome: Outcome
  verification: { result: 'verified' | 'rejected' | 'unverified'; code?: ReasonCode; diagnosis?: Diagnosis }
  dedup: { result: DedupResult; store?: string }
  /** By when deferred work is to be marked. */
  deferred_until?: number
  /** `at_us` is when it ended, in microseconds after `received_at`; one with an error was not done. */
  steps?: { name: string; at_us: number; duration_us?: number; error?: ToldError }[]
  missing_steps?: string[]
  failure?: { reason?: string; error?: ToldError }
  request: { method: string; path: string; headers?: Record<string, string>; size: number }
  response?: { size: number }
  bodies?: { request?: string; response?: string }
  metadata?: Record<string, unknown>
}
