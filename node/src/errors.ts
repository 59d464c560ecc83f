import type { ReasonCode } from './codes'

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

/** Why a request was refused. */
export interface Rejection {
  /** A stable code, e.g. `signature_mismatch`. */
  readonly code: ReasonCode
  /** One sentence. */
  readonly message: string
  /** What explains a wrong signature, where that could be found out. */
  readonly diagnosis: string | null
  /** The page that says how to mend it. */
  readonly docs: string
}

/** A webhook whose signature, time or form is not right. */
export class WebhookVerificationError extends Error implements Rejection {
  override readonly name = 'WebhookVerificationError'
  readonly code: ReasonCode
  readonly diagnosis: string | null
  readonly docs: string

  constructor(rejection: Rejection) {
    super(rejection.message)
    this.code = rejection.code
    this.diagnosis = rejection.diagnosis
    this.docs = rejection.docs
  }
}

/** Runs native code. Its errors cross the border as (code, message) and become exceptions here, nowhere else. */
export function translated<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string }
    throw new SurehookError(code ?? 'internal_error', message ?? String(error))
  }
}
