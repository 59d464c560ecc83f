/** How an event type fares, and the sentence that sums up a page of them. */
import { formatCount, formatRate, plural } from "./format.ts";
import type { Overview, OverviewRow } from "./types.ts";

export type Health = "failing" | "unsteady" | "well" | "unknown";

/** Below this share of attempts that did their work, an event type counts as failing. */
const FAILING_BELOW = 0.9;

type Counted = Pick<OverviewRow, "failed" | "silent_drop" | "unavailable" | "success_rate">;

export function healthOf(row: Counted): Health {
  if (row.success_rate === null) return row.unavailable > 0 ? "failing" : "unknown";
  if (row.success_rate < FAILING_BELOW) return "failing";
  return undoneOf(row) > 0 ? "unsteady" : "well";
}

const RANK: Record<Health, number> = { failing: 0, unsteady: 1, well: 2, unknown: 3 };

export interface EndpointGroup {
  key: string;
  endpoint: string;
  provider: string;
  rows: OverviewRow[];
}

/** Rows by endpoint; what needs attention first, then by name, so that rows hold still while figures move. */
export function groupRows(rows: readonly OverviewRow[]): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>();
  for (const row of rows.filter(isHandled)) {
    const key = JSON.stringify([row.endpoint, row.provider]);
    const group = groups.get(key) ?? { key, endpoint: row.endpoint, provider: row.provider, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  const byHealth = (a: OverviewRow, b: OverviewRow): number =>
    RANK[healthOf(a)] - RANK[healthOf(b)] || (a.event_type ?? "").localeCompare(b.event_type ?? "");
  for (const group of groups.values()) group.rows.sort(byHealth);
  return [...groups.values()].sort((a, b) => a.endpoint.localeCompare(b.endpoint));
}

/** Refused requests have their own table, by reason: a row of nothing else is left out. */
function isHandled(row: OverviewRow): boolean {
  return row.event_type !== null || row.attempts > row.rejected;
}

export interface Verdict {
  tone: "good" | "bad" | "warn" | "quiet";
  text: string;
}

/** What a colleague would say who had looked at the page. */
export function verdictOf(overview: Overview): Verdict {
  const { totals, rows } = overview;
  if (totals.attempts + totals.continued === 0) return { tone: "quiet", text: "No webhook arrived in this window." };
  const failing = rows.filter((row) => healthOf(row) === "failing");
  if (failing.length > 0) return { tone: "bad", text: failingText(failing) };
  const lost = undoneOf(totals);
  if (lost > 0) {
    return { tone: "warn", text: `${plural(lost, "attempt")} of ${formatCount(totals.attempts)} did not do the work; every event type is above ${formatRate(FAILING_BELOW)}.` };
  }
  if (totals.suspected_silent_drop > 0) {
    return { tone: "warn", text: `Nothing failed, but ${plural(totals.suspected_silent_drop, "message was", "messages were")} processed without a step that nearly every message like it records.` };
  }
  if (totals.rejected > 0) {
    return { tone: "warn", text: `Every webhook that was let in did its work; ${plural(totals.rejected, "request was", "requests were")} refused before the handler.` };
  }
  const waiting = totals.deferred - totals.continued;
  if (waiting > 0) return { tone: "good", text: `Every webhook that arrived did its work, as far as it is known: ${formatCount(waiting)} deferred it, and it is not marked yet.` };
  return { tone: "good", text: "Every webhook that arrived did its work." };
}

function failingText(failing: readonly OverviewRow[]): string {
  const [worst] = [...failing].sort((a, b) => undoneOf(b) - undoneOf(a));
  if (!worst) return "";
  const undone = undoneOf(worst);
  const others = failing.length - 1;
  const more = others === 0 ? "" : ` ${plural(others, "other event type is", "other event types are")} failing too.`;
  return `${worst.event_type ?? "An event without a type"} is failing: ${formatCount(undone)} of ${plural(worst.processed + undone, "attempt")} did not do the work.${more}`;
}

/** Attempts that should have done the work and did not. */
export function undoneOf(counts: Pick<OverviewRow, "failed" | "silent_drop" | "unavailable">): number {
  return counts.failed + counts.silent_drop + counts.unavailable;
}
