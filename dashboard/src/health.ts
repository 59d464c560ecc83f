/** How an event type fares, and the sentence that sums up a page of them. */
import { formatCount, formatRate, plural } from "./format.ts";
import type { Overview, OverviewRow } from "./types.ts";

export type Health = "failing" | "unsteady" | "well" | "unknown";

/** Below this share of attempts that did their work, an event type counts as failing. */
const FAILING_BELOW = 0.9;

/** From this share of refused requests on, refusals are what is wrong. */
const REFUSED_FROM = 0.5;

type Counted = Pick<OverviewRow, "processed" | "failed" | "silent_drop" | "unavailable">;

export function healthOf(row: Counted): Health {
  const tried = row.processed + undoneOf(row);
  if (tried === 0) return "unknown";
  if (row.processed < FAILING_BELOW * tried) return "failing";
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

/** What a colleague would say who had looked at the page. It claims nothing that the figures beside it do not say. */
export function verdictOf(overview: Overview): Verdict {
  const { totals, rows, cases } = overview;
  if (totals.attempts + totals.continued === 0) return { tone: "quiet", text: "No webhook arrived in this window." };
  const failing = rows.filter((row) => healthOf(row) === "failing");
  if (failing.length > 0) return { tone: "bad", text: failingText(failing) + alsoRefused(totals) };
  const lost = undoneOf(totals);
  if (lost > 0) {
    const text = `${plural(lost, "attempt")} of ${formatCount(totals.processed + lost)} did not do the work; every event type is at ${formatRate(FAILING_BELOW)} or more.`;
    return { tone: "warn", text: text + alsoRefused(totals) };
  }
  if (totals.rejected >= REFUSED_FROM * totals.attempts && totals.rejected > 0) return { tone: "bad", text: refusedText(totals) };
  const unseen = cases.reduce((sum, { not_handled: count }) => sum + count, 0);
  if (unseen > 0) {
    return { tone: "warn", text: `Nothing failed, but ${plural(unseen, "attempt was", "attempts were")} not handled because an identical message was, under another id: look whether both happened.` };
  }
  if (totals.suspected_silent_drop > 0) {
    const text = `Nothing failed, but ${plural(totals.suspected_silent_drop, "message was", "messages were")} processed without a step that nearly every message like it records.`;
    return { tone: "warn", text: text + alsoRefused(totals) };
  }
  if (totals.rejected > 0) return { tone: "warn", text: `Nothing that was let in failed.${alsoRefused(totals)}` };
  return { tone: totals.processed > 0 ? "good" : "quiet", text: quietText(totals) };
}

function refusedText({ rejected, attempts }: Overview["totals"]): string {
  if (rejected === attempts) return `Nothing was let in: ${attempts === 1 ? "the only request was" : `all ${formatCount(attempts)} requests were`} refused before the handler.`;
  return `${formatCount(rejected)} of ${plural(attempts, "request")} were refused before the handler; nothing that was let in failed.`;
}

function alsoRefused({ rejected }: Overview["totals"]): string {
  return rejected > 0 ? ` ${plural(rejected, "request was", "requests were")} refused before the handler.` : "";
}

/** Nothing failed and nothing was refused: what did work, and what is not known to have. */
function quietText(totals: Overview["totals"]): string {
  const open = [
    [totals.deferred - totals.continued, "deferred it, and it is not marked yet"],
    [totals.in_flight, "came while another attempt was handled"],
    [totals.other ?? 0, "ended in a way that this collector does not know"],
    [totals.client_dropped, "could not be reported by their applications"],
  ] as const;
  const rest = open.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`).join("; ");
  if (totals.processed === 0 && rest === "") return "Nothing failed; no webhook had work to do.";
  if (totals.processed === 0) return `No webhook did its work yet: ${rest}.`;
  const which = totals.ignored > 0 ? "Every webhook that is not declared ignored" : "Every webhook that arrived";
  return rest === "" ? `${which} did its work.` : `${which} did its work, as far as it is known: ${rest}.`;
}

/** An event type at several endpoints is one event type. */
function failingText(failing: readonly OverviewRow[]): string {
  const [worst] = [...failing].sort((a, b) => undoneOf(b) - undoneOf(a));
  if (!worst) return "";
  const undone = undoneOf(worst);
  const endpoints = failing.filter((row) => row.event_type === worst.event_type).length - 1;
  const types = new Set(failing.map((row) => row.event_type)).size - 1;
  const where = endpoints === 0 ? "" : ` It fails at ${plural(endpoints, "other endpoint")} too.`;
  const more = types === 0 ? "" : ` ${plural(types, "other event type is", "other event types are")} failing too.`;
  return `${worst.event_type ?? "An event without a type"} is failing${endpoints === 0 ? "" : ` at ${worst.endpoint}`}: ${formatCount(undone)} of ${plural(worst.processed + undone, "attempt")} did not do the work.${where}${more}`;
}

/** Attempts that should have done the work and did not. */
export function undoneOf(counts: Pick<OverviewRow, "failed" | "silent_drop" | "unavailable">): number {
  return counts.failed + counts.silent_drop + counts.unavailable;
}
