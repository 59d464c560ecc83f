/**
 * The stable words of the wire, in plain English: outcomes, reason codes, findings, de-duplication results.
 * `test/vocabulary.test.ts` holds this file against `tests/contract/codes.json`.
 */
import type { Outcome } from "./types.ts";

/** How loudly an outcome is shown. */
export type Tone = "good" | "bad" | "warn" | "refused" | "quiet";

export interface Word {
  label: string;
  meaning: string;
}

export interface TonedWord extends Word {
  tone: Tone;
}

const OUTCOME_WORDS: Record<Outcome, TonedWord> = {
  processed: { label: "Processed", tone: "good", meaning: "The handler did its work." },
  silent_drop: { label: "Silent drop", tone: "warn", meaning: "The handler answered 2xx but did not do the work." },
  failed: { label: "Failed", tone: "bad", meaning: "The handler failed, or answered anything but 2xx." },
  rejected: { label: "Refused", tone: "refused", meaning: "The request was refused before the handler ran." },
  in_flight: { label: "In flight", tone: "quiet", meaning: "Another attempt of the message was being handled: the provider was asked to come back." },
  unavailable: { label: "Unavailable", tone: "warn", meaning: "The de-duplication store could not be asked, so the handler did not run." },
  duplicate: { label: "Duplicate", tone: "quiet", meaning: "The message was handled before: the stored response was sent again, and the handler did not run." },
  ignored: { label: "Ignored", tone: "quiet", meaning: "The event type is declared ignored." },
  deferred: { label: "Deferred", tone: "quiet", meaning: "The handler answered, and its work goes on elsewhere." },
};

/** No outcome: what the collector suspects of a processed message. */
export const SUSPECTED_WORD: TonedWord = {
  label: "Suspected silent drop",
  tone: "warn",
  meaning: "Processed, but without a step that nearly every message like it records. It is a suspicion: the outcome stands.",
};

/** No outcome: a message that waits for somebody to look at it. */
export const NOT_HANDLED_WORD: TonedWord = {
  label: "Not handled",
  tone: "warn",
  meaning: "An identical message was handled under another id, and the provider signs no id: this is a second event, or a replay. The stored response was sent, and the handler did not run.",
};

export function outcomeWord(outcome: string): TonedWord {
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
    meaning: "The raw bytes of the body are not there: something read them before the check, or the sender hung up before they were all sent.",
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
  secret_missing: {
    meaning: "The endpoint has no signing secret that can be used, so it answers 503.",
    check: "The secret's environment variable where the application runs; the log names it.",
  },
  secret_unknown: {
    meaning: "The function that gives the secrets has none for this request.",
    check: "Whether the request names a tenant that exists.",
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
  return Object.hasOwn(REASON_WORDS, code) ? page(code) : null;
}

const FINDING_WORDS: Record<string, Word> = {
  secret_of_another_endpoint: {
    label: "Secret of another endpoint",
    meaning: "The message was signed with the secret of another endpoint of this application.",
  },
  secret_not_decoded: {
    label: "Secret read in two ways",
    meaning: "The secret is right, but the sender and the receiver make different keys of its text: one decodes it, the other does not.",
  },
  secret_double_encoded: {
    label: "Secret encoded twice",
    meaning: "The secret was encoded once more on its way into the application.",
  },
  secret_whitespace_or_quotes: {
    label: "Stray characters in the secret",
    meaning: "The secret holds whitespace, quotes or an escape like \\n that do not belong to it.",
  },
  body_reserialized: {
    label: "Body parsed and written again",
    meaning: "The JSON was parsed and written again before the check: it says the same, in other bytes.",
  },
  body_newline_changed: {
    label: "Line ends changed",
    meaning: "The line ends of the body were changed between LF and CRLF.",
  },
  body_trailing_newline: {
    label: "Final newline added or lost",
    meaning: "A newline at the end of the body was added or lost on the way.",
  },
  body_bom: {
    label: "Byte order mark added or lost",
    meaning: "A byte order mark at the start of the body was added or lost on the way.",
  },
  body_base64: {
    label: "Body still in base64",
    meaning: "The check was given the base64 of the body, not its bytes.",
  },
  body_gzipped: {
    label: "Body still compressed",
    meaning: "The check was given the compressed body, and the provider signed it uncompressed.",
  },
  body_form_wrapped: {
    label: "Body inside a form field",
    meaning: "The signed body arrived as a field of a form.",
  },
  body_decoded_lossily: {
    label: "Bytes lost by decoding",
    meaning: "The body was decoded as text: a replacement character stands where bytes were.",
  },
  body_truncated: {
    label: "Body cut off",
    meaning: "Fewer bytes of the body arrived than were announced.",
  },
  body_empty_was_consumed: {
    label: "Body read by something else",
    meaning: "The request came with a body, and nothing of it was left when the check asked for it.",
  },
  timestamp_units: {
    label: "Time in another unit",
    meaning: "The signed time is in another unit than this provider uses: milliseconds for seconds, or the reverse.",
  },
  clock_skew: {
    label: "Right signature, wrong time",
    meaning: "The signature is right. Only the signed time is too far from the clock of this host.",
  },
  header_rewritten: {
    label: "Header rewritten on the way",
    meaning: "A header with the message id or the time was renamed, replaced or padded on the way.",
  },
  test_live_mix: {
    label: "Test and live mixed",
    meaning: "The message is of one mode and the secret of the other: test and live have their own.",
  },
  not_a_webhook_secret: {
    label: "Not the right kind of secret",
    meaning: "What is set as the signing secret is another kind of value.",
  },
};

export const FINDINGS = Object.keys(FINDING_WORDS);

export function findingWord(finding: string): Word {
  return own(FINDING_WORDS, finding) ?? { label: finding, meaning: "A finding that this dashboard does not know yet." };
}

/** The page that explains a finding at length. */
export function findingPage(finding: string): string | null {
  return Object.hasOwn(FINDING_WORDS, finding) ? page(finding) : null;
}

function page(name: string): string {
  return `https://github.com/surehook/surehook/blob/main/docs/diagnostics/${name}.md`;
}

const CERTAINTY_WORDS: Record<string, TonedWord> = {
  proved: { label: "Proved", tone: "good", meaning: "An experiment with this cause made the signature right." },
  likely: { label: "Likely", tone: "warn", meaning: "It looks like this, but no experiment proves it." },
};

export const CERTAINTIES = Object.keys(CERTAINTY_WORDS);

export function certaintyWord(certainty: string): TonedWord {
  return own(CERTAINTY_WORDS, certainty)
    ?? { label: certainty, tone: "quiet", meaning: "A certainty that this dashboard does not know yet." };
}

const DEDUP_WORDS: Record<string, Word> = {
  off: { label: "Not asked", meaning: "It is off, or the request was refused first." },
  new: { label: "New", meaning: "No earlier attempt had handled the message, so the handler ran." },
  duplicate: { label: "Duplicate", meaning: "The message was handled before." },
  in_flight: { label: "In flight", meaning: "Another attempt held the lease." },
  id_reuse: { label: "Id reused", meaning: "The same message id came with another body." },
  same_body_other_id: { label: "Same body, other id", meaning: "An identical message was handled under another id, and ids are not signed: a second event or a replay." },
  repeated: { label: "Repeated", meaning: "De-duplication is off, and the same request came before: the handler ran again." },
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
