import type { JSX } from "preact";
import type { LiveState } from "../live.ts";
import { liveState } from "../state.ts";

const WORDS: Record<LiveState, { label: string; meaning: string }> = {
  live: { label: "Live", meaning: "New attempts show up by themselves." },
  connecting: { label: "Connecting", meaning: "The live stream is being opened." },
  offline: { label: "Offline", meaning: "The live stream is broken; it is tried again by itself." },
};

/** Whether the page moves by itself. */
export function LivePill(): JSX.Element {
  const { label, meaning } = WORDS[liveState.value];
  return (
    <span class="pill" data-state={liveState.value} role="status" title={meaning}>
      <span class="dot" aria-hidden="true" />
      <span class="pill-label">{label}</span>
    </span>
  );
}
