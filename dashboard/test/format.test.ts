import { describe, expect, it } from "vitest";
import {
  formatAgo, formatBytes, formatCompact, formatMicros, formatRate, formatSpan, formatTick, isoTime, ordinal, plural,
} from "../src/format.ts";

const SECOND = 1_000_000;

describe("rates", () => {
  it("reads 100% only without a flaw", () => {
    expect(formatRate(1)).toBe("100%");
    expect(formatRate(0.99999)).toBe("99.9%");
    expect(formatRate(0.9996)).toBe("99.9%");
  });
  it("cuts instead of rounding, also where floats are a hair short", () => {
    expect(formatRate(0.57)).toBe("57.0%");
    expect(formatRate(0.29)).toBe("29.0%");
    expect(formatRate(0)).toBe("0%");
  });
  it("has a dash where nothing was handled", () => {
    expect(formatRate(null)).toBe("–");
  });
});

describe("latencies", () => {
  it.each([
    [0, "0 µs"], [999, "999 µs"], [1000, "1 ms"], [12_345, "12.3 ms"], [999_499, "999 ms"], [999_500, "1 s"],
    [1_250_000, "1.25 s"], [59_949_999, "59.9 s"], [60_000_000, "1 min"], [null, "–"],
  ])("%s reads %s", (us, text) => {
    expect(formatMicros(us)).toBe(text);
  });
});

describe("spans", () => {
  it.each([
    [0, "0 s"], [400_000, "0 s"], [5 * SECOND, "5 s"], [310 * SECOND, "5 min 10 s"], [7_200 * SECOND, "2 h"],
    [99_305 * SECOND, "1 d 3 h"], [-5 * SECOND, "5 s"],
  ])("%s reads %s", (us, text) => {
    expect(formatSpan(us)).toBe(text);
  });
});

describe("distances from now", () => {
  const now = 1_700_000_000_000;
  const before = (seconds: number): number => (now - seconds * 1000) * 1000;
  it.each([
    [0, "now"], [1.9, "now"], [2, "2 s ago"], [59, "59 s ago"], [60, "1 min ago"], [3_599, "59 min ago"],
    [3_600, "1 h ago"], [86_399, "23 h ago"], [86_400, "1 d ago"],
  ])("%s s reads %s", (seconds, text) => {
    expect(formatAgo(before(seconds), now)).toBe(text);
  });
  it("takes a sender's clock that runs ahead for now", () => {
    expect(formatAgo(before(-90), now)).toBe("now");
  });
});

describe("axis labels", () => {
  const at = (text: string): number => new Date(text).getTime() * 1000;
  it("names the day where it begins, and everywhere on a long axis", () => {
    expect(formatTick(at("2026-11-24T14:05:00"), 3_600)).toBe("14:05");
    expect(formatTick(at("2026-11-24T00:00:00"), 86_400)).toBe("Tue 24");
    expect(formatTick(at("2026-11-24T06:00:00"), 7 * 86_400)).toBe("Tue 24 06:00");
  });
});

describe("the rest", () => {
  it("keeps whole counts while they are short", () => {
    expect(formatCompact(99_999)).toBe("99,999");
    expect(formatCompact(1_234_567)).toBe("1.2M");
  });
  it("counts in words", () => {
    expect(plural(1, "attempt")).toBe("1 attempt");
    expect(plural(0, "attempt")).toBe("0 attempts");
    expect(plural(2_000, "is", "are")).toBe("2,000 are");
    expect([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
  });
  it("writes bytes in binary units", () => {
    expect([0, 1023, 1024, 1536, 1_048_576].map(formatBytes)).toEqual(["0 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB"]);
  });
  it("gives machines a time, and nothing for one that is none", () => {
    expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(isoTime(Number.MAX_SAFE_INTEGER * 1000)).toBe("");
  });
});
