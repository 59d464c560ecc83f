// @vitest-environment happy-dom
import { render } from "preact";
import { describe, expect, it } from "vitest";
import { AttemptCard } from "../src/components/AttemptCard.tsx";
import { now } from "../src/state.ts";
import { entriesOf } from "../src/timeline.ts";
import type { Attempt } from "../src/types.ts";
import { attempt, deferred, MISSED, rest } from "./samples.ts";

function shown(attempts: Attempt[]): HTMLElement {
  const room = document.createElement("ol");
  const [first] = attempts;
  if (first) render(entriesOf(attempts).map((entry) => <AttemptCard key={entry.attempt.id} entry={entry} first={first} fresh={false} />), room);
  return room;
}

const textOf = (element: Element | null | undefined): string => element?.textContent.replace(/\s+/g, " ") ?? "";

describe("deferred work", () => {
  it("tells how it ended, by which record, and how long that took", () => {
    const [request, end] = shown([deferred(), rest("processed", { duration_us: 5_000_000 })]).querySelectorAll("li.attempt");
    expect(textOf(request)).toContain("Attempt 1");
    const link = request?.querySelector(".ending a");
    expect(link?.textContent).toBe("Processed");
    expect(link?.getAttribute("href")).toBe(`#${end?.id ?? ""}`);
    expect(textOf(request?.querySelector(".ending"))).toBe("Processed 1 min 5 s after the request");
    expect(textOf(end)).toContain("What became of the deferred work of attempt 1.");
    expect(textOf(end), "it is no request").not.toContain("HTTP");
  });
  it("says how long is left, and when nothing is", () => {
    now.value = 60_000;
    expect(textOf(shown([deferred()]))).toContain("Not marked yet: 4 min left");
    now.value = 600_000;
    expect(textOf(shown([deferred()]))).toContain("the deadline has passed");
  });
  it("says that nobody marked it, and that it was late", () => {
    const room = shown([deferred(), MISSED, rest("processed", { received_at: 360_000_000, duration_us: 0 })]);
    const endings = [...room.querySelectorAll(".ending")].map(textOf);
    expect(endings).toEqual(["Not marked by its deadline", "Processed 6 min after the request, 1 min too late"]);
    expect(textOf(room.querySelectorAll("li.attempt")[1])).toContain("Not marked by its deadline: nobody said how the work ended.");
  });
  it("of an attempt that is not stored names its id", () => {
    expect(textOf(shown([rest("failed")]))).toContain(`an attempt that is not stored: ${deferred().id}`);
  });
});

it("whose sender had left counts as not answered, whatever the handler did", () => {
  const [left, stayed] = shown([attempt("processed", { status: 200, sender_left: true }), attempt("processed", { id: "2", status: 200 })]).querySelectorAll("li.attempt");
  expect(textOf(left?.querySelector(".attempt-figures"))).toContain("no answer");
  expect(textOf(left?.querySelector(".findings"))).toContain("the handler ran on to HTTP 200, which nobody got.");
  expect(textOf(stayed?.querySelector(".attempt-figures"))).toContain("HTTP 200");
  expect(textOf(stayed)).not.toContain("nobody got");
});

describe("steps", () => {
  const error = { type: "Timeout", message: "no answer", fingerprint: "0123456789abcdef" };
  it("show how long they took, and the error of one that was not done", () => {
    const steps = [{ name: "load", at_us: 400 }, { name: "mail", at_us: 900, duration_us: 250, error }];
    const [load, mail] = shown([attempt("failed", { steps })]).querySelectorAll(".steps li");
    expect(textOf(load)).toContain("at 400 µs");
    expect(textOf(mail)).toContain("250 µs");
    expect(textOf(mail)).toContain("not done: Timeout no answer");
    expect(mail?.querySelector<HTMLElement>(".step-bar span")?.style.left).toBe("65%");
  });
  it("that are only usual are called suspected, with the figures", () => {
    const lacking = [{ step: "send_mail", recorded: 1_960, of: 2_000 }];
    const room = shown([attempt("processed", { suspected_silent_drop: lacking })]);
    expect(textOf(room.querySelector(".badge"))).toBe("Processed");
    expect(textOf(room.querySelector("[data-usual]"))).toContain("usual, but not recorded");
    expect(textOf(room.querySelector(".suspicion"))).toContain("send_mail is missing: 1,960 of the last 2,000 messages recorded it.");
    expect(textOf(room.querySelector(".suspicion"))).toContain("It is a suspicion: the outcome stands.");
  });
});

it("bodies are text, closed, and JSON is laid out", () => {
  const request = `{"a":"<img src=x onerror=alert(1)>"}`;
  const room = shown([attempt("processed", { bodies: { request, response: "<script>alert(1)</script>" }, metadata: { tenant: "<b>t</b>" } })]);
  expect(room.querySelectorAll("img, script, b")).toHaveLength(0);
  const details = [...room.querySelectorAll("details")];
  expect(details.every((one) => !one.open)).toBe(true);
  expect(details.map((one) => textOf(one.querySelector("summary")).split(" ").slice(0, 2).join(" ")))
    .toEqual(["Metadata ", "Request body", "Response body", "Request headers"]);
  expect(room.querySelector('[aria-label="Request body"]')?.textContent).toBe(`{\n  "a": "<img src=x onerror=alert(1)>"\n}`);
  expect(room.querySelector('[aria-label="Response body"]')?.textContent).toBe("<script>alert(1)</script>");
});
