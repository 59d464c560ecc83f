import { describe, expect, it } from "vitest";
import contract from "../../tests/contract/codes.json" with { type: "json" };
import { OUTCOMES } from "../src/types.ts";
import {
  CERTAINTIES, certaintyWord, DEDUP_RESULTS, dedupWord, findingPage, FINDINGS, findingWord, outcomeWord, REASON_CODES, reasonPage, reasonWord,
} from "../src/vocabulary.ts";

describe("the words of the contract", () => {
  it("are all known here, and no others", () => {
    expect([...OUTCOMES].sort()).toEqual([...contract.outcomes].sort());
    expect([...REASON_CODES].sort()).toEqual([...contract.reason_codes].sort());
    expect([...FINDINGS].sort()).toEqual([...contract.findings].sort());
    expect([...CERTAINTIES].sort()).toEqual([...contract.certainties].sort());
    expect([...DEDUP_RESULTS].sort()).toEqual([...contract.dedup_results].sort());
  });
  it("from a newer collector are shown as they are", () => {
    expect(outcomeWord("postponed").label).toBe("postponed");
    expect(dedupWord("elsewhere").label).toBe("elsewhere");
    expect(reasonWord("new_code").meaning).toContain("does not know yet");
    expect(findingWord("new_finding").label).toBe("new_finding");
    expect(certaintyWord("certain").label).toBe("certain");
    expect(reasonPage("../../evil")).toBeNull();
    expect(findingPage("../../evil")).toBeNull();
  });
  it("are not mistaken for members of every object", () => {
    expect(outcomeWord("constructor").label).toBe("constructor");
    expect(findingWord("constructor").label).toBe("constructor");
    expect(reasonPage("constructor")).toBeNull();
    expect(findingPage("constructor")).toBeNull();
  });
});
