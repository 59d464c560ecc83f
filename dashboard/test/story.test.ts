import { describe, expect, it } from "vitest";
import { storyOf } from "../src/story.ts";
import { attempt, deferred, DIAGNOSIS, MISSED, rest } from "./samples.ts";

const rejected = attempt("rejected", { verification: { result: "rejected", code: "timestamp_too_old" } });
const diagnosed = (changes: Partial<typeof DIAGNOSIS>) =>
  attempt("rejected", { verification: { result: "rejected", code: "signature_mismatch", diagnosis: { ...DIAGNOSIS, ...changes } } });

describe("the story of a message", () => {
  it.each([
    ["handled at once", [attempt("processed")], "good", "Handled at the first attempt."],
    [
      "handled, then sent again", [attempt("processed"), attempt("duplicate"), attempt("duplicate")], "good",
      "Handled at the first attempt; 2 duplicates were answered with the stored response, without running the handler again.",
    ],
    [
      "recovered", [attempt("failed"), attempt("in_flight"), attempt("processed")], "good",
      "Recovered: handled at the 3rd attempt, after 1 that was not.",
    ],
    ["failed once", [attempt("failed")], "bad", "Not handled yet: its only attempt failed."],
    ["failed every time", [attempt("failed"), attempt("failed")], "bad", "Not handled yet: 2 attempts failed, none did the work."],
    [
      "dropped silently", [attempt("silent_drop", { missing_steps: ["create_profile"] })], "bad",
      "Dropped silently: the provider was told that all is well, but the work was not done (missing: create_profile).",
    ],
    ["refused", [rejected], "refused", "Refused before the handler. The request was signed longer ago than the tolerance allows."],
    [
      "refused for a proved cause", [diagnosed({})], "refused",
      "Refused before the handler. The message was signed with the secret of another endpoint of this application.",
    ],
    [
      "refused for a likely cause", [diagnosed({ finding: "body_decoded_lossily", certainty: "likely" })], "refused",
      "Refused before the handler. No signature matches the body, the headers and the secrets of this endpoint."
      + " Likely: the body was decoded as text: a replacement character stands where bytes were.",
    ],
    [
      "refused for a cause that only a newer sender knows", [diagnosed({ finding: "new_finding" })], "refused",
      "Refused before the handler. No signature matches the body, the headers and the secrets of this endpoint.",
    ],
    ["deferred and done", [deferred(), rest("processed")], "good", "Handled: the work was deferred, and is done."],
    [
      "deferred, done and sent again", [deferred(), rest("processed"), attempt("duplicate")], "good",
      "Handled: the work was deferred, and is done; 1 duplicate was answered with the stored response, without running the handler again.",
    ],
    ["deferred and failed", [deferred(), rest("failed")], "bad", "Not handled: the work was deferred, and it failed."],
    [
      "deferred and dropped", [deferred(), rest("silent_drop", { missing_steps: ["send_mail"] })], "bad",
      "Dropped silently: the provider was told that all is well, but the work was not done (missing: send_mail).",
    ],
    [
      "deferred and forgotten", [deferred(), MISSED], "bad",
      "Dropped silently: the work was deferred, and nobody marked it by its deadline.",
    ],
    [
      "deferred and late", [deferred(), MISSED, rest("processed")], "good",
      "Handled late: the work was deferred, and done after its deadline.",
    ],
    ["done elsewhere, of an attempt that is not stored", [rest("processed")], "good", "Handled: the work was deferred, and is done."],
    [
      "failed, then handled after work elsewhere failed", [deferred(), rest("failed"), attempt("processed")], "good",
      "Recovered: handled at the 2nd attempt, after 1 that was not.",
    ],
    [
      "suspected", [attempt("processed", { suspected_silent_drop: [{ step: "send_mail", recorded: 49, of: 50 }] })], "warn",
      "Handled at the first attempt. Suspected of a silent drop: nearly every message like it records send_mail.",
    ],
    [
      "the same body under another id", [attempt("duplicate", { dedup: { result: "same_body_other_id" } })], "warn",
      "An identical message was handled under another id, and the provider signs no id: this is a second event, or a replay."
      + " The stored response was sent, and the handler did not run.",
    ],
    ["not stored", [], "quiet", "No attempt of this message is stored."],
  ] as const)("%s", (_name, attempts, tone, text) => {
    expect(storyOf(attempts)).toEqual({ tone, text });
  });

  it("tells until when deferred work is waited for", () => {
    const { tone, text } = storyOf([deferred(), attempt("duplicate")]);
    expect(tone).toBe("quiet");
    expect(text).toMatch(/^Deferred: .*, to be marked by 1 Jan 1970, .*\.$/);
  });
  it("is not changed by a forged request that carries its id", () => {
    expect(storyOf([attempt("failed"), rejected]).tone).toBe("bad");
    expect(storyOf([attempt("processed"), rejected]).tone).toBe("good");
  });
});
