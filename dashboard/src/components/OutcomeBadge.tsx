import type { JSX } from "preact";
import { outcomeWord } from "../vocabulary.ts";
import { Icon, outcomeIcon } from "./Icon.tsx";

/** An outcome by sign, word and colour: any one of them is enough. */
export function OutcomeBadge({ outcome }: { outcome: string }): JSX.Element {
  const { label, tone, meaning } = outcomeWord(outcome);
  return (
    <span class="badge" data-tone={tone} title={meaning}>
      <Icon name={outcomeIcon(outcome)} />
      {label}
    </span>
  );
}
