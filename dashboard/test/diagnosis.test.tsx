// @vitest-environment happy-dom
import { render } from "preact";
import { expect, it } from "vitest";
import { DiagnosisNote } from "../src/components/DiagnosisNote.tsx";
import type { Diagnosis } from "../src/types.ts";
import { DIAGNOSIS } from "./samples.ts";

function shown(changes: Partial<Diagnosis> = {}): HTMLElement {
  const room = document.createElement("div");
  render(<DiagnosisNote diagnosis={{ ...DIAGNOSIS, ...changes }} />, room);
  return room;
}

it("says the finding in words, the evidence and the fix, and links to its page", () => {
  const note = shown();
  expect(note.querySelector("strong")?.textContent).toBe("Secret of another endpoint");
  expect(note.textContent).toContain(DIAGNOSIS.evidence);
  expect(note.textContent).toContain(DIAGNOSIS.fix);
  expect(note.querySelector("a")?.getAttribute("href")).toMatch(/\/docs\/diagnostics\/secret_of_another_endpoint\.md$/);
});

it.each([
  ["proved", "Proved: An experiment with this cause made the signature right."],
  ["likely", "Likely: It looks like this, but no experiment proves it."],
])("tells what %s means on hover, and to those who listen", (certainty, words) => {
  const badge = shown({ certainty }).querySelector(".badge");
  expect(badge?.textContent).toBe(words);
  expect(words).toContain(badge?.getAttribute("title"));
});

it("shows what it does not know as it is, without a link", () => {
  const note = shown({ finding: "../../evil", certainty: "certain" });
  expect(note.querySelector("strong")?.textContent).toBe("../../evil");
  expect(note.querySelector(".badge")?.textContent).toContain("certain");
  expect(note.querySelector("a")).toBeNull();
});

it("shows text from the wire as text", () => {
  const text = `<img src=x onerror=alert(1)>`;
  const note = shown({ evidence: text, fix: text, finding: text });
  expect(note.querySelector("img")).toBeNull();
  expect(note.textContent.split(text)).toHaveLength(4);
});
