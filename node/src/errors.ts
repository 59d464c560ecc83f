import type { Certainty, Finding, ReasonCode } from './codes'

/** An error of Surehook: a stable code, a sentence, and what else is known. */
export class SurehookError extends Error {
  override readonly name: string = 'SurehookError'

  constructor(
    /** A stable code, e.g. `secret_missing`. */
    readonly code: string,
    message: string,
    /** What else is known of the fault. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

/** What a signature failed for, and what mends it. It holds no secret, no signature and no body. */
export interface Diagnosis {
  /** A stable code, e.g. `body_reserialized`. */
  readonly finding: Finding
  /** `proved`: with the one thing changed, the signature was right. `likely`: it looks like it. */
  readonly certainty: Certainty
  /** What shows it, in one sentence. */
  readonly evidence: string
  /** What mends it, in one sentence. */
  readonly fix: string
}

/** Why a request was refused. */
export interface Rejection {
  /** A stable code, e.g. `signature_mismatch`. */
  readonly code: ReasonCode
  /** One sentence. */
  readonly message: string
  /** What explains a wrong signature, where that could be found out. */
  readonly diagnosis: Diagnosis | null
  /** The page that explains the finding, or the code where there is none. */
  readonly docs: string
}

/** A webhook whose signature, time or form is not right. */
export class WebhookVerificationError extends Error implements Rejection {
  override readonly name = 'WebhookVerificationError'
  readonly code: ReasonCode
  readonly diagnosis: Diagnosis | null
  readonly docs: string

  constructor(rejection: Rejection) {
    super(rejection.message)
    this.code = rejection.code
    this.diagnosis = rejection.diagnosis ?? null
    this.docs = rejection.docs
  }
}

/** Runs native code. Its errors cross the border as (code, message, the finding as their cause) and become exceptions here, nowhere else. */
export function translated<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const { code, message, cause } = error as { code?: string; message?: string; cause?: { message?: string } }
    const details = cause?.message === undefined ? {} : { finding: cause.message }
    throw new SurehookError(code ?? 'internal_error', message ?? String(error), details)
  }
}
