import type { JSX } from "preact";
import { verdictOf } from "../health.ts";
import type { Overview } from "../types.ts";
import { Icon, type IconName } from "./Icon.tsx";

const SIGNS: Record<string, IconName> = { good: "processed", bad: "failed", warn: "unavailable", refused: "rejected", quiet: "clock" };

/** One sentence, said before any figure. */
export function Verdict({ overview }: { overview: Overview }): JSX.Element {
  return <Sentence {...verdictOf(overview)} />;
}

export function Sentence({ tone, text }: { tone: string; text: string }): JSX.Element {
  return (
    <p class="verdict" data-tone={tone}>
      <Icon name={SIGNS[tone] ?? "clock"} />
      <span>{text}</span>
    </p>
  );
}
