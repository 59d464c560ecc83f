import { describe, expect, it } from "vitest";
import contract from "../../tests/contract/codes.json" with { type: "json" };
import { OUTCOMES } from "../src/types.ts";
import { DEDUP_RESULTS, dedupWord, outcomeWord, REASON_CODES, reasonPage, reasonWord } from "../src/vocabulary.ts";

describe("the words of the contract", () => {
  it("are all known here, and no others", () => {
    expect([...OUTCOMES].sort()).toEqual([...contract.outcomes].sort());
    expect([...REASON_CODES].sort()).toEqual([...contract.reason_codes].sort());
    expect([...DEDUP_RESULTS].sort()).toEqual([...contract.dedup_results].sort());
  });
  it("from a newer collector are shown as they are", () => {
    expect(outcomeWord("postponed").label).toBe("postponed");
    expect(dedupWord("elsewhere").label).toBe("elsewhere");
    expect(reasonWord("new_code").meaning).toContain("does not know yet");
    expect(reasonPage("../../evil")).toBeNull();
  });
  it("are not mistaken for members of every object", () => {
    expect(outcomeWord("constructor").label).toBe("constructor");
    expect(reasonPage("constructor")).toBeNull();
  });
});
