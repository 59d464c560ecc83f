import { describe, expect, it } from "vitest";
import { pretty } from "../src/pretty.ts";

describe("JSON for people", () => {
  it.each([
    [`{"a":[1,2,{"b":{}}],"c":[]}`, `{\n  "a": [\n    1,\n    2,\n    {\n      "b": {}\n    }\n  ],\n  "c": []\n}`],
    [` [ "a:{,}\\"[" , null ] `, `[\n  "a:{,}\\"[",\n  null\n]`],
    ["[]", "[]"],
  ])("%s", (text, expected) => { expect(pretty(text)).toBe(expected); });

  it("has every number and every key as it was sent", () => {
    const text = `{"n":123456789012345678901234567890,"n":1e400,"f":1.0,"u":"\\u003cb\\u003e"}`;
    expect(pretty(text).replace(/\n */g, "").replaceAll(": ", ":")).toBe(text);
  });
  it("says the same as what was sent, however it is laid out", () => {
    const value = { a: [{ b: "x, y: {z}" }, [[]], -1.5e-7, true], "": { "\\\"": null } };
    for (const space of [0, 1, 4, "\t"]) expect(pretty(JSON.stringify(value, null, space))).toBe(JSON.stringify(value, null, 2));
  });
  it.each(["", "a=1&b=2", "{", `{"a":1} trailing`, "<script>alert(1)</script>", `"text"`, "12345678901234567890"])("leaves %s as it is", (text) => {
    expect(pretty(text)).toBe(text);
  });
  it("of text that nests without end does not grow without end", () => {
    const text = "[".repeat(5_000) + "]".repeat(5_000);
    expect(pretty(text).length).toBeLessThan(100 * text.length);
  });
});
