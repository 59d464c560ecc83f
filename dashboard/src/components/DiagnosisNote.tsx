import type { JSX } from "preact";
import type { Diagnosis } from "../types.ts";
import { certaintyWord, findingPage, findingWord } from "../vocabulary.ts";
import { Icon } from "./Icon.tsx";

/** Why a signature failed: the cause, how sure that is, what speaks for it, and what to change. */
export function DiagnosisNote({ diagnosis }: { diagnosis: Diagnosis }): JSX.Element {
  const { finding, certainty, evidence, fix } = diagnosis;
  const { label, meaning } = findingWord(finding);
  const page = findingPage(finding);
  return (
    <section class="diagnosis" aria-label="Diagnosis" data-finding={finding} data-certainty={certainty}>
      <p class="diagnosis-head">
        <strong>{label}</strong>
        <Certainty certainty={certainty} />
      </p>
      <p>{meaning}</p>
      <dl>
        <div><dt>Evidence</dt><dd class="wire">{evidence}</dd></div>
        <div data-part="fix"><dt>Fix</dt><dd class="wire">{fix}</dd></div>
      </dl>
      {page !== null && <p class="diagnosis-page"><a href={page} target="_blank" rel="noreferrer">How this happens, and the fix for each framework</a></p>}
    </section>
  );
}

/** One word to look at; what it means on hover, and for those who listen. */
function Certainty({ certainty }: { certainty: string }): JSX.Element {
  const { label, meaning, tone } = certaintyWord(certainty);
  return (
    <span class="badge" data-tone={tone} title={meaning}>
      <Icon name={certainty === "proved" ? "check" : "unknown"} />
      {label}<span class="visually-hidden">: {meaning}</span>
    </span>
  );
}
