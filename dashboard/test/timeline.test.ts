import { describe, expect, it } from "vitest";
import { entriesOf, isRequest, missedDeadline } from "../src/timeline.ts";
import { attempt, deferred, MISSED, rest } from "./samples.ts";

describe("the entries of a timeline", () => {
  it("count requests and leave out what became of their work", () => {
    const entries = entriesOf([attempt("failed", { id: "a" }), deferred(), attempt("duplicate", { id: "b" }), rest("processed")]);
    expect(entries.map(({ number, restOf }) => [number, restOf])).toEqual([[1, null], [2, null], [3, null], [null, 2]]);
  });
  it("join both halves in whatever order they stand", () => {
    const [end, start] = entriesOf([rest("processed", { received_at: -5 }), deferred()]);
    expect(end?.restOf).toBe(1);
    expect(start?.endings.map(({ outcome }) => outcome)).toEqual(["processed"]);
  });
  it("show the rest of what is not stored", () => {
    expect(entriesOf([rest("failed")])).toMatchObject([{ number: null, restOf: null, endings: [] }]);
  });
  it("do not believe the rest of a refused request", () => {
    const refused = rest("rejected", { verification: { result: "rejected" } });
    expect(entriesOf([attempt("rejected", { id: deferred().id }), refused])[0]?.endings).toEqual([]);
  });
});

it("a missed deadline is told from a drop that a process reported", () => {
  expect(missedDeadline(MISSED)).toBe(true);
  expect(missedDeadline(rest("silent_drop", { missing_steps: ["a"] }))).toBe(false);
  expect(missedDeadline(rest("failed", { failure: { reason: "not marked by its deadline" } }))).toBe(false);
  expect(missedDeadline(attempt("silent_drop", { failure: { reason: "not marked by its deadline" } }))).toBe(false);
  expect(isRequest(MISSED)).toBe(false);
});
