/** A message's attempts as a timeline: which are requests, and which are the rest of one whose work was deferred. */
import type { Attempt } from "./types.ts";

export interface Entry {
  attempt: Attempt;
  /** Requests are counted from 1; the rest of one has none. */
  number: number | null;
  /** The number of the request that this is the rest of; null when that one is not shown. */
  restOf: number | null;
  /** What was told of how its deferred work ended, oldest first. */
  endings: Attempt[];
}

/** The reason of a silent drop that the collector found by itself. */
const MISSED = "not marked by its deadline";

/** Attempts are oldest first. */
export function entriesOf(attempts: readonly Attempt[]): Entry[] {
  const numbers = new Map<string, number>();
  for (const attempt of attempts.filter(isRequest)) numbers.set(attempt.id, numbers.size + 1);
  return attempts.map((attempt) => ({
    attempt,
    number: numbers.get(attempt.id) ?? null,
    restOf: attempt.continues === undefined ? null : numbers.get(attempt.continues) ?? null,
    endings: attempts.filter((other) => other.continues === attempt.id && other.outcome !== "rejected"),
  }));
}

export function isRequest(attempt: Attempt): boolean {
  return attempt.continues === undefined;
}

/** Nobody said by the deadline how the work ended. */
export function missedDeadline(attempt: Attempt): boolean {
  return !isRequest(attempt) && attempt.outcome === "silent_drop" && attempt.failure?.reason === MISSED;
}
