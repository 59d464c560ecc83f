/** Putting answers of the collector together: lists with newer lists, series with series. */
import type { MessageSummary, OverviewRow, SeriesPoint } from "./types.ts";

/** Newest first, each message once, in its newest form. */
export function mergeMessages(older: readonly MessageSummary[], newer: readonly MessageSummary[]): MessageSummary[] {
  const byId = new Map(older.map((message) => [message.id, message]));
  for (const message of newer) byId.set(message.id, message);
  return [...byId.values()].sort((a, b) => b.last_seen - a.last_seen || b.id - a.id);
}

/** A page of messages, and where the next one begins. */
export interface Page {
  messages: readonly MessageSummary[];
  next: string | null;
}

/** So many pages are fetched to close a gap; what is then still missing is asked for again by hand. */
const GAP_PAGES = 20;

/** The newest messages, down to those that are shown already: where more than a page arrived since, the next pages too. */
export async function newestDownTo(shown: readonly MessageSummary[], fetch: (before?: string) => Promise<Page>): Promise<Page & { closed: boolean }> {
  let { messages, next } = await fetch();
  const known = Math.max(...shown.map((message) => message.last_seen));
  const closed = (): boolean => next === null || (messages.at(-1)?.last_seen ?? 0) <= known;
  for (let page = 1; page < GAP_PAGES && !closed() && next !== null; page++) {
    const older: Page = await fetch(next);
    messages = [...messages, ...older.messages];
    next = older.next;
  }
  return { messages, next, closed: closed() };
}

/** The sum of all rows at each point in time. */
export function totalSeries(rows: readonly Pick<OverviewRow, "series">[]): SeriesPoint[] {
  const sums = new Map<number, SeriesPoint>();
  for (const { series } of rows) {
    for (const { at, attempts, failed } of series) {
      const sum = sums.get(at) ?? { at, attempts: 0, failed: 0 };
      sum.attempts += attempts;
      sum.failed += failed;
      sums.set(at, sum);
    }
  }
  return [...sums.values()].sort((a, b) => a.at - b.at);
}

/** The names that rows speak of, each once, in order. */
export function endpointsOf(rows: readonly Pick<OverviewRow, "endpoint">[]): string[] {
  return [...new Set(rows.map((row) => row.endpoint))].sort();
}

export function eventTypesOf(rows: readonly Pick<OverviewRow, "event_type">[]): string[] {
  return [...new Set(rows.flatMap((row) => row.event_type ?? []))].sort();
}
