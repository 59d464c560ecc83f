import type { Certainty, Finding, ReasonCode } from './codes'
import { withNodeNames } from './names'

/** An error of Surehook: a stable code, a sentence, and what else is known. */
export class SurehookError extends Error {
  override readonly name: string = 'SurehookError'

  constructor(
    /** A stable code, e.g. `secret_missing`. */
    readonly code: string,
    message: string,
    /** What else is known of the fault; `finding` says what a secret that cannot be used is. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

/** Why a signature is not right, and what mends it. It never holds the secret, the signature or the body. */
export interface Diagnosis {
  /** A stable code, e.g. `body_reserialized`. */
  readonly finding: Finding
  /** `proved`: an experiment verified. `likely`: only the shape speaks for it. */
  readonly certainty: Certainty
  /** What shows it, in one sentence. */
  readonly evidence: string
  /** What mends it, in one sentence. */
  readonly fix: string
}

/** Why a request was refused. It is for the endpoint's owner, never for the sender. */
export interface Rejection {
  /** A stable code, e.g. `signature_mismatch`. */
  readonly code: ReasonCode
  /** One sentence. */
  readonly message: string
  /** The cause, where one was found. */
  readonly diagnosis: Diagnosis | null
  /** The page of the cause, or of the code where no cause was found. */
  readonly docs: string
}

/** A webhook whose signature, time or form is not right. */
export class WebhookVerificationError extends Error implements Rejection {
  override readonly name = 'WebhookVerificationError'
  readonly code: ReasonCode
  readonly diagnosis: Diagnosis | null
  readonly docs: string

  /** A text alone is what a verifier of one's own says, as with the class of that name in `svix` and `standardwebhooks`. */
  constructor(rejection: Rejection | string) {
    const { message, code, diagnosis, docs } =
      typeof rejection === 'string' ? { message: rejection, code: 'verifier_error' as const, diagnosis: null, docs: '' } : rejection
    super(message)
    this.code = code
    this.diagnosis = diagnosis
    this.docs = docs
  }
}

/** A webhook whose signature is right, with a body that is no JSON. */
export class BodyNotJsonError extends SyntaxError {
  override readonly name = 'BodyNotJsonError'
  readonly code = 'body_not_json'
}

/** Runs native code. Its errors cross the border as (code, message, cause) and become exceptions here, nowhere else. */
export function translated<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const { code = 'internal_error', message = String(error), cause } = error as { code?: string; message?: string; cause?: Error }
    const details = cause === undefined ? {} : { finding: cause.message }
    throw new SurehookError(code, code === 'invalid_option' ? withNodeNames(message) : message, details)
  }
}
