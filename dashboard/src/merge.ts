/** Putting answers of the collector together: lists with newer lists, series with series. */
import type { MessageSummary, OverviewRow, SeriesPoint } from "./types.ts";

/** Newest first, each message once, in its newest form. */
export function mergeMessages(older: readonly MessageSummary[], newer: readonly MessageSummary[]): MessageSummary[] {
  const byId = new Map(older.map((message) => [message.id, message]));
  for (const message of newer) byId.set(message.id, message);
  return [...byId.values()].sort((a, b) => b.last_seen - a.last_seen || b.id - a.id);
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
