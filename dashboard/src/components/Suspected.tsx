import type { JSX } from "preact";
import { formatCount } from "../format.ts";
import type { Lacking } from "../types.ts";
import { SUSPECTED_WORD } from "../vocabulary.ts";
import { Icon } from "./Icon.tsx";

/** Beside an outcome, which it does not change. */
export function SuspectedMark(): JSX.Element {
  return (
    <span class="badge suspected" data-tone={SUSPECTED_WORD.tone} title={SUSPECTED_WORD.meaning}>
      <Icon name="suspected" />Suspected<span class="visually-hidden"> silent drop</span>
    </span>
  );
}

/** What makes a message suspicious, step by step, in figures. */
export function SuspectedNote({ lacking }: { lacking: readonly Lacking[] }): JSX.Element {
  return (
    <section class="suspicion" aria-label={SUSPECTED_WORD.label}>
      <p><SuspectedMark /> {SUSPECTED_WORD.meaning}</p>
      <ul>
        {lacking.map(({ step, recorded, of }) => (
          <li key={step}>
            <span class="wire mono">{step}</span> is missing: {formatCount(recorded)} of the last {formatCount(of)} messages recorded it.
          </li>
        ))}
      </ul>
    </section>
  );
}
