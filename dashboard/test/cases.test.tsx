// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Cases } from "../src/components/Cases.tsx";
import { verdictOf } from "../src/health.ts";
import { api } from "../src/state.ts";
import type { Case } from "../src/types.ts";
import { overview, row } from "./samples.ts";

const CASE: Case = {
  id: 7, endpoint: "github", provider: "github", event_type: "push", message: 3, message_id: "a-2", count: 25, not_handled: 4,
  first_seen: 0, last_seen: 0,
};

function shown(cases: Case[], onAcknowledged = (): void => undefined): HTMLElement {
  const room = document.createElement("main");
  render(<Cases cases={cases} onAcknowledged={onAcknowledged} />, room);
  return room;
}

afterEach(() => { vi.restoreAllMocks(); });

describe("what came under another id", () => {
  it("is told with its message, and how many nobody has looked at", () => {
    const text = shown([CASE]).textContent;
    expect(text).toContain("a-2");
    expect(text).toContain("push at github");
    expect(text).toContain("25 attempts");
    expect(shown([CASE]).querySelector(".refused-count")?.textContent).toBe("4");
    expect(shown([]).textContent).toBe("");
  });
  it("is acknowledged as far as it was seen", async () => {
    const acknowledge = vi.spyOn(api, "acknowledge").mockResolvedValue(undefined);
    const done = vi.fn();
    shown([CASE], done).querySelector("button")?.click();
    await vi.waitFor(() => { expect(done).toHaveBeenCalledOnce(); });
    expect(acknowledge).toHaveBeenCalledWith(7, 25);
  });
  it("makes no window good", () => {
    expect(verdictOf({ ...overview([row()]), cases: [CASE] })).toEqual({
      tone: "warn",
      text: "Nothing failed, but 4 attempts were not handled because an identical message was, under another id: look whether both happened.",
    });
  });
});
