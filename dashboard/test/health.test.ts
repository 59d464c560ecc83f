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
  it("never says of a window what its figures contradict", () => {
    const text = (rows: Parameters<typeof overview>[0]): string => verdictOf(overview(rows)).text;
    const refused = row({ event_type: null, processed: 0, rejected: 500 });
    expect(verdictOf(overview([refused]))).toEqual({ tone: "bad", text: "Nothing was let in: all 500 requests were refused before the handler." });
    expect(text([row({ event_type: null, processed: 0, rejected: 1 })])).toBe("Nothing was let in: the only request was refused before the handler.");
    expect(verdictOf(overview([refused, row()])).tone).toBe("bad");
    expect(text([refused, row()])).toBe("500 of 510 requests were refused before the handler; nothing that was let in failed.");
    expect(text([row({ processed: 100, unavailable: 900 })])).toBe("user.created is failing: 900 of 1,000 attempts did not do the work.");
    expect(text([row({ processed: 99, failed: 1 }), row({ event_type: null, processed: 0, rejected: 9 })])).toBe(
      "1 attempt of 100 did not do the work; every event type is at 90.0% or more. 9 requests were refused before the handler.",
    );
    for (const changes of [{ in_flight: 3 }, { ignored: 3 }, { duplicate: 3 }, { deferred: 3 }, { other: 3 }]) {
      expect(text([row({ processed: 0, ...changes })]), JSON.stringify(changes)).not.toContain("did its work.");
    }
    expect(text([row({ in_flight: 2 })])).toContain("2 came while another attempt was handled");
    expect(text([row({ ignored: 2 })])).toBe("Every webhook that is not declared ignored did its work.");
    const lost = overview([row()]);
    expect(verdictOf({ ...lost, totals: { ...lost.totals, client_dropped: 4 } }).text).toContain("4 could not be reported");
  });
  it("knows one event type at several endpoints for one event type", () => {
    const failing = { processed: 0, failed: 2 };
    const rows = [row({ ...failing, failed: 3 }), row({ ...failing, endpoint: "eu" }), row({ ...failing, endpoint: "us" })];
    expect(verdictOf(overview(rows)).text).toBe(
      "user.created is failing at clerk: 3 of 3 attempts did not do the work. It fails at 2 other endpoints too.",
    );
    rows.push(row({ ...failing, event_type: "user.deleted" }), row({ ...failing, event_type: "user.deleted", endpoint: "eu" }));
    expect(verdictOf(overview(rows)).text).toContain("1 other event type is failing too.");
  });
  it("says what is not known yet", () => {
    expect(verdictOf(overview([row({ deferred: 3, continued: 1 })])).text).toContain("as far as it is known: 2 deferred it");
    expect(verdictOf(overview([row({ deferred: 3, continued: 3 })])).text).toBe("Every webhook that arrived did its work.");
    expect(verdictOf(overview([row({ processed: 1, continued: 1, attempts: 0 })])).tone, "work that began before the window").toBe("good");
  });
});
