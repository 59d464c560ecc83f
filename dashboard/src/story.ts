/** A message in one sentence, from its attempts. */
import { formatCount, formatDateTime, ordinal, plural } from "./format.ts";
import { isRequest, missedDeadline } from "./timeline.ts";
import type { Attempt } from "./types.ts";
import { FINDINGS, findingWord, NOT_HANDLED_WORD, outcomeWord, reasonWord } from "./vocabulary.ts";

export interface Story {
  tone: "good" | "bad" | "warn" | "quiet" | "refused";
  text: string;
}

/** Tells what became of a message. Attempts are oldest first; what became of deferred work is among them. */
export function storyOf(attempts: readonly Attempt[]): Story {
  const last = attempts.at(-1);
  if (!last) return { tone: "quiet", text: "No attempt of this message is stored." };
  const handled = attempts.find((attempt) => attempt.outcome === "processed");
  if (handled) return handledStory(attempts, handled);
  const decisive = attempts.findLast(isDecisive) ?? attempts.findLast((attempt) => attempt.outcome === "deferred")
    ?? attempts.findLast(isTrusted) ?? last;
  const word = decisive.dedup.result === "same_body_other_id" ? NOT_HANDLED_WORD : outcomeWord(decisive.outcome);
  switch (decisive.outcome) {
    case "failed":
      return { tone: "bad", text: isRequest(decisive) ? `Not handled yet: ${failures(attempts)}.` : "Not handled: the work was deferred, and it failed." };
    case "silent_drop":
      return { tone: "bad", text: `Dropped silently: ${dropped(decisive)}.` };
    case "rejected":
      return { tone: "refused", text: `Refused before the handler. ${refusal(decisive)}` };
    case "deferred":
      return { tone: "quiet", text: `Deferred: the handler answered, and its work goes on elsewhere${by(decisive)}.` };
    default:
      return { tone: word.tone, text: word.meaning };
  }
}

/** The proved cause where there is one; a likely one is told as what it is. */
function refusal({ verification: { code, diagnosis } }: Attempt): string {
  const reason = reasonWord(code ?? "").meaning;
  if (!diagnosis || !FINDINGS.includes(diagnosis.finding)) return reason;
  const cause = findingWord(diagnosis.finding).meaning;
  return diagnosis.certainty === "proved" ? cause : `${reason} Likely: ${lowerFirst(cause)}`;
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** Anyone can write a message's id on a request that is then refused. */
function isTrusted(attempt: Attempt): boolean {
  return attempt.outcome !== "rejected";
}

function isDecisive(attempt: Attempt): boolean {
  return !["rejected", "duplicate", "in_flight", "unavailable", "deferred"].includes(attempt.outcome);
}

/** The last processed attempt says whether something usual is missing, as it does for the collector. */
function handledStory(attempts: readonly Attempt[], handled: Attempt): Story {
  const text = [handledText(attempts, handled), duplicates(attempts, handled)].filter((part) => part !== "").join("; ");
  const lacking = attempts.findLast((attempt) => attempt.outcome === "processed")?.suspected_silent_drop ?? [];
  if (lacking.length === 0) return { tone: "good", text: `${text}.` };
  const steps = lacking.map(({ step }) => step).join(", ");
  return { tone: "warn", text: `${text}. Suspected of a silent drop: nearly every message like it records ${steps}.` };
}

function handledText(attempts: readonly Attempt[], handled: Attempt): string {
  if (!isRequest(handled)) return deferredText(attempts, handled);
  const requests = attempts.filter(isRequest);
  const place = requests.indexOf(handled);
  const before = requests.slice(0, place).filter((attempt) => attempt.outcome !== "in_flight").length;
  if (before === 0) return "Handled at the first attempt";
  return `Recovered: handled at the ${ordinal(place + 1)} attempt, after ${plural(before, "that was not", "that were not")}`;
}

function deferredText(attempts: readonly Attempt[], handled: Attempt): string {
  const late = attempts.some((attempt) => missedDeadline(attempt) && attempt.continues === handled.continues);
  return late ? "Handled late: the work was deferred, and done after its deadline" : "Handled: the work was deferred, and is done";
}

function duplicates(attempts: readonly Attempt[], handled: Attempt): string {
  const later = attempts.slice(attempts.indexOf(handled) + 1).filter((attempt) => attempt.outcome === "duplicate").length;
  if (later === 0) return "";
  return `${plural(later, "duplicate was", "duplicates were")} answered with the stored response, without running the handler again`;
}

function failures(attempts: readonly Attempt[]): string {
  const requests = attempts.filter(isRequest);
  const failed = requests.filter((attempt) => attempt.outcome === "failed").length;
  if (failed === 1) return requests.length === 1 ? "its only attempt failed" : `one of ${formatCount(requests.length)} attempts failed, none did the work`;
  return `${plural(failed, "attempt")} failed, none did the work`;
}

function dropped(attempt: Attempt): string {
  if (missedDeadline(attempt)) return "the work was deferred, and nobody marked it by its deadline";
  const names = attempt.missing_steps ?? [];
  const missing = names.length === 0 ? "" : ` (missing: ${names.join(", ")})`;
  return `the provider was told that all is well, but the work was not done${missing}`;
}

function by({ deferred_until: deadline }: Attempt): string {
  return deadline === undefined ? "" : `, to be marked by ${formatDateTime(deadline)}`;
}
