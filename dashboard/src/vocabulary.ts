/**
 * The stable words of the wire, in plain English: outcomes, reason codes, de-duplication results.
 * `test/vocabulary.test.ts` holds this file against `tests/contract/codes.json`.
 */
import type { Outcome } from "./types.ts";

/** How loudly an outcome is shown. */
export type Tone = "good" | "bad" | "warn" | "refused" | "quiet";

export interface Word {
  label: string;
  meaning: string;
}

export interface OutcomeWord extends Word {
  tone: Tone;
}

const OUTCOME_WORDS: Record<Outcome, OutcomeWord> = {
  processed: { label: "Processed", tone: "good", meaning: "The handler did its work." },
  silent_drop: { label: "Silent drop", tone: "warn", meaning: "The handler answered 2xx but did not do the work." },
  failed: { label: "Failed", tone: "bad", meaning: "The handler failed, or answered anything but 2xx." },
  rejected: { label: "Refused", tone: "refused", meaning: "The request was refused before the handler ran." },
  in_flight: { label: "In flight", tone: "quiet", meaning: "Another attempt of the message was being handled: the provider was asked to come back." },
  unavailable: { label: "Unavailable", tone: "warn", meaning: "The de-duplication store could not be asked, so the handler did not run." },
  duplicate: { label: "Duplicate", tone: "quiet", meaning: "The message was handled before: the stored response was sent again, and the handler did not run." },
  ignored: { label: "Ignored", tone: "quiet", meaning: "The event type is declared ignored." },
};

export function outcomeWord(outcome: string): OutcomeWord {
  return own(OUTCOME_WORDS, outcome)
    ?? { label: outcome, tone: "quiet", meaning: "An outcome that this dashboard does not know yet." };
}

export interface ReasonWord {
  /** What is wrong, in one sentence. */
  meaning: string;
  /** The first thing to look at. */
  check: string;
}

const REASON_WORDS: Record<string, ReasonWord> = {
  missing_header: {
    meaning: "A header that carries the signature, its time or the message id is missing.",
    check: "Does the request come from the provider at all, and does a proxy drop headers?",
  },
  duplicate_header: {
    meaning: "A signature header was sent more than once.",
    check: "A proxy that adds headers instead of replacing them.",
  },
  mixed_header_family: {
    meaning: "The request mixes svix-* and webhook-* headers.",
    check: "A proxy that renames only some of the headers.",
  },
  malformed_message_id: {
    meaning: "The message id is empty, too long or holds a character that ids may not have.",
    check: "Who sends this? The provider never makes such ids.",
  },
  malformed_timestamp: {
    meaning: "The timestamp is not a plain number of seconds.",
    check: "A sender that writes milliseconds or a date.",
  },
  timestamp_too_old: {
    meaning: "The request was signed longer ago than the tolerance allows.",
    check: "The clock of this host, then a queue or a replay in front of it.",
  },
  timestamp_too_new: {
    meaning: "The request was signed further in the future than the tolerance allows.",
    check: "The clock of this host: it runs behind.",
  },
  malformed_signature: {
    meaning: "The signature header holds no entry that can be read.",
    check: "Does the request come from the provider at all?",
  },
  too_many_signatures: {
    meaning: "The signature header is longer than 8 KiB or holds more than 64 entries.",
    check: "Who sends this? The provider sends one entry for each active secret.",
  },
  no_supported_version: {
    meaning: "No signature has a version that this endpoint's secrets can check.",
    check: "A whsec_ secret checks v1, a whpk_ key checks v1a: is it the right kind?",
  },
  signature_mismatch: {
    meaning: "No signature matches the body, the headers and the secrets of this endpoint.",
    check: "The signing secret of this very endpoint in the provider's dashboard, then whether the body reaches the wrapper unchanged.",
  },
  body_unavailable: {
    meaning: "The raw bytes of the body are gone: something read or parsed them before the check.",
    check: "A body parser that runs before the wrapper.",
  },
  body_too_large: {
    meaning: "The body is larger than this endpoint accepts.",
    check: "The endpoint's limit for bodies.",
  },
  replayed: {
    meaning: "The very same request was accepted before.",
    check: "Something that sends the same bytes again: the provider signs each retry anew.",
  },
  secret_invalid: {
    meaning: "The signing secret cannot be used.",
    check: "The value of the secret's environment variable.",
  },
  verifier_error: {
    meaning: "The verifier failed.",
    check: "The application's log at this time.",
  },
};

export const REASON_CODES = Object.keys(REASON_WORDS);

export function reasonWord(code: string): ReasonWord {
  return own(REASON_WORDS, code) ?? { meaning: "A reason that this dashboard does not know yet.", check: "The application's log at this time." };
}

/** The page that explains a reason code at length. */
export function reasonPage(code: string): string | null {
  return Object.hasOwn(REASON_WORDS, code) ? `https://github.com/surehook/surehook/blob/main/docs/diagnostics/${code}.md` : null;
}

const DEDUP_WORDS: Record<string, Word> = {
  off: { label: "Not asked", meaning: "It is off, or the request was refused first." },
  new: { label: "First time", meaning: "The message had not been handled before, so the handler ran." },
  duplicate: { label: "Duplicate", meaning: "The message was handled before." },
  in_flight: { label: "In flight", meaning: "Another attempt held the lease." },
  id_reuse: { label: "Id reused", meaning: "The same message id came with another body." },
  fenced: { label: "Fenced", meaning: "This attempt had lost its lease: what it would have stored was refused." },
  unavailable: { label: "Store unavailable", meaning: "The store could not be asked." },
};

export const DEDUP_RESULTS = Object.keys(DEDUP_WORDS);

export function dedupWord(result: string): Word {
  return own(DEDUP_WORDS, result) ?? { label: result, meaning: "A result that this dashboard does not know yet." };
}

/** An entry by a name from the wire, which may be that of a member of every object. */
function own<T>(words: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}
