/** A message in one sentence, from its attempts. */
import { formatCount, ordinal, plural } from "./format.ts";
import type { Attempt } from "./types.ts";
import { FINDINGS, findingWord, outcomeWord, reasonWord } from "./vocabulary.ts";

export interface Story {
  tone: "good" | "bad" | "warn" | "quiet" | "refused";
  text: string;
}

/** Tells what became of a message. Attempts are oldest first. */
export function storyOf(attempts: readonly Attempt[]): Story {
  const last = attempts.at(-1);
  if (!last) return { tone: "quiet", text: "No attempt of this message is stored." };
  const handled = attempts.findIndex((attempt) => attempt.outcome === "processed");
  if (handled !== -1) return { tone: "good", text: handledText(attempts, handled) };
  const decisive = attempts.findLast(isDecisive) ?? attempts.findLast(isTrusted) ?? last;
  const word = outcomeWord(decisive.outcome);
  switch (decisive.outcome) {
    case "failed":
      return { tone: "bad", text: `Not handled yet: ${failures(attempts)}.` };
    case "silent_drop":
      return { tone: "bad", text: `Dropped silently: the provider was told that all is well, but the work was not done${missing(decisive)}.` };
    case "rejected":
      return { tone: "refused", text: `Refused before the handler. ${refusal(decisive)}` };
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
  return !["rejected", "duplicate", "in_flight", "unavailable"].includes(attempt.outcome);
}

function handledText(attempts: readonly Attempt[], handled: number): string {
  const before = attempts.slice(0, handled).filter((attempt) => attempt.outcome !== "in_flight").length;
  const first = before === 0 ? "Handled at the first attempt" : `Recovered: handled at the ${ordinal(handled + 1)} attempt, after ${plural(before, "that was not", "that were not")}`;
  const duplicates = attempts.slice(handled + 1).filter((attempt) => attempt.outcome === "duplicate").length;
  if (duplicates === 0) return `${first}.`;
  return `${first}; ${plural(duplicates, "duplicate was", "duplicates were")} answered with the stored response, without running the handler again.`;
}

function failures(attempts: readonly Attempt[]): string {
  const failed = attempts.filter((attempt) => attempt.outcome === "failed").length;
  if (failed === 1) return attempts.length === 1 ? "its only attempt failed" : `one of ${formatCount(attempts.length)} attempts failed, none did the work`;
  return `${plural(failed, "attempt")} failed, none did the work`;
}

function missing(attempt: Attempt): string {
  const names = attempt.missing_steps ?? [];
  return names.length === 0 ? "" : ` (missing: ${names.join(", ")})`;
}
