import { describe, expect, it } from "vitest";
import { groupRows, healthOf, verdictOf } from "../src/health.ts";
import { overview, row } from "./samples.ts";

describe("the health of an event type", () => {
  it("is failing below nine in ten, unsteady above, well without a flaw", () => {
    expect(healthOf(row({ processed: 89, failed: 11 }))).toBe("failing");
    expect(healthOf(row({ processed: 90, failed: 10 }))).toBe("unsteady");
    expect(healthOf(row({ processed: 90, silent_drop: 1 }))).toBe("unsteady");
    expect(healthOf(row())).toBe("well");
  });
  it("is not well when the handler never ran because the store was down", () => {
    expect(healthOf(row({ processed: 0, unavailable: 3 }))).toBe("failing");
    expect(healthOf(row({ processed: 0, duplicate: 3 }))).toBe("unknown");
  });
});

describe("rows", () => {
  it("come by endpoint, failing ones first, then by name", () => {
    const groups = groupRows([
      row({ event_type: "b" }), row({ event_type: "z", processed: 0, failed: 1 }), row({ event_type: "a" }), row({ endpoint: "billing" }),
    ]);
    expect(groups.map(({ endpoint, rows }) => [endpoint, rows.map(({ event_type: type }) => type)])).toEqual([
      ["billing", ["user.created"]], ["clerk", ["z", "a", "b"]],
    ]);
  });
  it("leave out what was only refused, and keep handled events without a type", () => {
    expect(groupRows([row({ event_type: null, processed: 0, rejected: 4 })])).toEqual([]);
    expect(groupRows([row({ event_type: null, processed: 1, rejected: 4 })])).toHaveLength(1);
  });
  it("of endpoints with one name and two providers stay apart", () => {
    expect(groupRows([row(), row({ provider: "svix" })])).toHaveLength(2);
  });
});

describe("the verdict", () => {
  it("names the event type that lost most and counts the others", () => {
    const verdict = verdictOf(overview([
      row({ event_type: "user.created", processed: 1, failed: 3 }), row({ event_type: "user.updated", processed: 1, failed: 1 }), row(),
    ]));
    expect(verdict).toEqual({
      tone: "bad",
      text: "user.created is failing: 3 of 4 attempts did not do the work. 1 other event type is failing too.",
    });
  });
  it("never calls a window good in which something was lost or refused", () => {
    expect(verdictOf(overview([row()])).tone).toBe("good");
    expect(verdictOf(overview([row({ processed: 99, silent_drop: 1 })])).tone).toBe("warn");
    expect(verdictOf(overview([row({ rejected: 1 })])).tone).toBe("warn");
    expect(verdictOf(overview([row({ processed: 0, unavailable: 1 })])).tone).toBe("bad");
    expect(verdictOf(overview([])).tone).toBe("quiet");
    expect(verdictOf(overview([row({ suspected_silent_drop: 1 })]))).toEqual({
      tone: "warn", text: "Nothing failed, but 1 message was processed without a step that nearly every message like it records.",
    });
  });
  it("says what is not known yet", () => {
    expect(verdictOf(overview([row({ deferred: 3, continued: 1 })])).text).toContain("as far as it is known: 2 deferred it");
    expect(verdictOf(overview([row({ deferred: 3, continued: 3 })])).text).toBe("Every webhook that arrived did its work.");
    expect(verdictOf(overview([row({ processed: 1, continued: 1, attempts: 0 })])).tone, "work that began before the window").toBe("good");
  });
});
