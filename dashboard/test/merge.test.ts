import { expect, it } from "vitest";
import { endpointsOf, eventTypesOf, mergeMessages, newestDownTo, totalSeries } from "../src/merge.ts";
import { message, row } from "./samples.ts";

it("shows each message once, in its newest form, newest first", () => {
  const older = [message(3, 30), message(2, 20), message(1, 10, { outcome: "failed" })];
  const newer = [message(1, 40, { attempts: 2 }), message(4, 35)];
  const merged = mergeMessages(older, newer);
  expect(merged.map(({ id }) => id)).toEqual([1, 4, 3, 2]);
  expect(merged[0]).toMatchObject({ outcome: "processed", attempts: 2 });
});

it("orders messages of one instant by their number, as the collector does", () => {
  expect(mergeMessages([message(1, 10)], [message(2, 10)]).map(({ id }) => id)).toEqual([2, 1]);
});

it("sums series point by point, also where one lacks a point", () => {
  const rows = [
    row({ series: [{ at: 60, attempts: 1, failed: 1 }, { at: 120, attempts: 2, failed: 0 }] }),
    row({ series: [{ at: 120, attempts: 5, failed: 4 }, { at: 0, attempts: 7, failed: 0 }] }),
  ];
  expect(totalSeries(rows)).toEqual([
    { at: 0, attempts: 7, failed: 0 }, { at: 60, attempts: 1, failed: 1 }, { at: 120, attempts: 7, failed: 4 },
  ]);
});

it("leaves the rows as they were", () => {
  const rows = [row({ series: [{ at: 0, attempts: 1, failed: 0 }] }), row({ series: [{ at: 0, attempts: 1, failed: 0 }] })];
  totalSeries(rows);
  expect(rows[0]?.series[0]?.attempts).toBe(1);
});

it("offers each name once, and no name for rows without one", () => {
  const rows = [row({ event_type: "b" }), row({ event_type: null }), row({ event_type: "a", endpoint: "billing" }), row({ event_type: "b" })];
  expect(eventTypesOf(rows)).toEqual(["a", "b"]);
  expect(endpointsOf(rows)).toEqual(["billing", "clerk"]);
});

it("fetches on until it meets what is shown, so that no message between disappears", async () => {
  const stored = Array.from({ length: 23 }, (_, place) => message(23 - place, 230 - 10 * place));
  const fetched: (string | undefined)[] = [];
  const fetch = (before?: string): Promise<{ messages: typeof stored; next: string | null }> => {
    fetched.push(before);
    const start = before === undefined ? 0 : Number(before);
    return Promise.resolve({ messages: stored.slice(start, start + 5), next: start + 5 < stored.length ? String(start + 5) : null });
  };
  const shown = stored.slice(12);
  const { messages, closed } = await newestDownTo(shown, fetch);
  expect(closed).toBe(true);
  expect(fetched).toEqual([undefined, "5", "10"]);
  expect(mergeMessages(shown, messages)).toEqual(stored);
  expect((await newestDownTo([message(0, 0)], (before) => Promise.resolve({ messages: [message(9, 90)], next: String(Number(before ?? 0) + 1) }))).closed).toBe(false);
});
