import type { ComponentChildren, JSX } from "preact";
import { formatBytes, formatClock, formatDateTime, formatMicros, formatSpan, isoTime } from "../format.ts";
import type { Attempt } from "../types.ts";
import { dedupWord, outcomeWord, reasonWord } from "../vocabulary.ts";
import { AttemptDetails } from "./AttemptDetails.tsx";
import { DiagnosisNote } from "./DiagnosisNote.tsx";
import { Icon, outcomeIcon } from "./Icon.tsx";
import { OutcomeBadge } from "./OutcomeBadge.tsx";
import { ReasonCode } from "./ReasonCode.tsx";
import { Steps } from "./Steps.tsx";

interface AttemptCardProps {
  attempt: Attempt;
  /** Counted from 1. */
  number: number;
  first: Attempt;
  /** It came while the page was open. */
  fresh: boolean;
}

/** One attempt on the timeline of its message. */
export function AttemptCard({ attempt, number, first, fresh }: AttemptCardProps): JSX.Element {
  const { tone, meaning } = outcomeWord(attempt.outcome);
  const since = attempt.received_at - first.received_at;
  return (
    <li class="attempt" data-tone={tone} data-fresh={fresh} data-outcome={attempt.outcome}>
      <span class="attempt-sign" aria-hidden="true"><Icon name={outcomeIcon(attempt.outcome)} /></span>
      <article aria-label={`Attempt ${number}`}>
        <header class="attempt-head">
          <h3>Attempt {number}</h3>
          <OutcomeBadge outcome={attempt.outcome} />
          <span class="attempt-figures">
            <span title="Status of the answer">{attempt.status === undefined ? "no answer" : `HTTP ${attempt.status}`}</span>
            <span title="From the request to the answer">{formatMicros(attempt.duration_us)}</span>
          </span>
          <span class="attempt-time">
            <time dateTime={isoTime(attempt.received_at)} title={formatDateTime(attempt.received_at)}>{formatClock(attempt.received_at)}</time>
            {number > 1 && <span class="muted"> +{formatMicros(Math.max(0, since))}</span>}
          </span>
        </header>
        <p class="attempt-meaning">{meaning}</p>
        <Findings attempt={attempt} />
        <Steps attempt={attempt} />
        <AttemptDetails attempt={attempt} />
      </article>
    </li>
  );
}

/** What was found out about the attempt, the worst first. */
function Findings({ attempt }: { attempt: Attempt }): JSX.Element {
  const { verification, dedup, failure, provider_timestamp: signed, request, response } = attempt;
  const dedupSaid = dedupWord(dedup.result);
  return (
    <dl class="findings">
      {verification.code !== undefined && <Reason code={verification.code} diagnosed={verification.diagnosis !== undefined} />}
      {verification.diagnosis && <Finding name="Diagnosis"><DiagnosisNote diagnosis={verification.diagnosis} /></Finding>}
      {failure?.reason !== undefined && <Finding name="Reason given"><span class="wire">{failure.reason}</span></Finding>}
      {failure?.error && (
        <Finding name="Error">
          <code>{failure.error.type}</code> <span class="wire">{failure.error.message}</span>
          <span class="muted nowrap" title="The same for errors of one cause"> #{failure.error.fingerprint}</span>
        </Finding>
      )}
      <Finding name="Signature">{SIGNATURE[verification.result]}</Finding>
      <Finding name="De-duplication">
        {dedupSaid.label}. <span class="muted">{dedupSaid.meaning}</span>
        {dedup.store !== undefined && <span class="muted"> · {dedup.store} store</span>}
      </Finding>
      {signed !== undefined && (
        <Finding name="Signed">
          {lag(attempt.received_at - signed)}
        </Finding>
      )}
      <Finding name="Request">
        <code>{request.method} {request.path}</code> <span class="muted">{formatBytes(request.size)}</span>
        {response && <span class="muted"> · answer {formatBytes(response.size)}</span>}
      </Finding>
    </dl>
  );
}

const SIGNATURE: Record<Attempt["verification"]["result"], string> = {
  verified: "Verified.",
  rejected: "Not accepted.",
  unverified: "Not checked: verification is switched off for this endpoint.",
};

/** What usually causes a refusal is told only where nothing is known of this one. */
function Reason({ code, diagnosed }: { code: string; diagnosed: boolean }): JSX.Element {
  const { meaning, check } = reasonWord(code);
  return (
    <Finding name="Refused for">
      <ReasonCode code={code} /> {meaning}
      {!diagnosed && <span class="muted hint"><span class="hint-label">Check first</span> {check}</span>}
    </Finding>
  );
}

function Finding({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Providers sign whole seconds: a smaller distance says nothing. */
function lag(us: number): string {
  if (Math.abs(us) < 1_000_000) return "at the time of the request";
  return us > 0 ? `${formatSpan(us)} before it arrived` : `${formatSpan(us)} after it arrived: the clocks disagree`;
}
