import type { ComponentChildren, JSX } from "preact";
import { formatBytes, formatClock, formatDateTime, formatMicros, formatSpan, isoTime } from "../format.ts";
import type { Attempt } from "../types.ts";
import { isRequest, missedDeadline, type Entry } from "../timeline.ts";
import { dedupWord, outcomeWord, reasonWord, SUSPECTED_WORD } from "../vocabulary.ts";
import { AttemptDetails } from "./AttemptDetails.tsx";
import { anchorOf, Deferral, RestOf } from "./Deferral.tsx";
import { DiagnosisNote } from "./DiagnosisNote.tsx";
import { Icon, outcomeIcon } from "./Icon.tsx";
import { OutcomeBadge } from "./OutcomeBadge.tsx";
import { ReasonCode } from "./ReasonCode.tsx";
import { Steps } from "./Steps.tsx";
import { SuspectedMark } from "./Suspected.tsx";

interface AttemptCardProps {
  entry: Entry;
  first: Attempt;
  /** It came while the page was open. */
  fresh: boolean;
}

/** One attempt on the timeline of its message, or what became of its deferred work. */
export function AttemptCard({ entry, first, fresh }: AttemptCardProps): JSX.Element {
  const { attempt } = entry;
  const { tone, meaning } = outcomeWord(attempt.outcome);
  const suspected = attempt.suspected_silent_drop !== undefined;
  const since = attempt.received_at - first.received_at;
  const title = titleOf(entry);
  return (
    <li class="attempt" id={anchorOf(attempt)} data-tone={suspected ? SUSPECTED_WORD.tone : tone} data-fresh={fresh} data-outcome={attempt.outcome} data-kind={isRequest(attempt) ? "request" : "rest"}>
      <span class="attempt-sign" aria-hidden="true"><Icon name={suspected ? "suspected" : outcomeIcon(attempt.outcome)} /></span>
      <article aria-label={title}>
        <header class="attempt-head">
          <h3>{title}</h3>
          <OutcomeBadge outcome={attempt.outcome} />
          {suspected && <SuspectedMark />}
          <Figures attempt={attempt} />
          <span class="attempt-time">
            <time dateTime={isoTime(attempt.received_at)} title={formatDateTime(attempt.received_at)}>{formatClock(attempt.received_at)}</time>
            {attempt !== first && <span class="muted"> +{formatMicros(Math.max(0, since))}</span>}
          </span>
        </header>
        <p class="attempt-meaning">{isRequest(attempt) ? meaning : <>What became of <RestOf entry={entry} />.</>}</p>
        {isRequest(attempt) ? <RequestFindings entry={entry} /> : <RestFindings attempt={attempt} />}
        <Steps attempt={attempt} />
        <AttemptDetails attempt={attempt} />
      </article>
    </li>
  );
}

/** How an entry is called where there are several. */
export function titleOf({ number }: Entry): string {
  return number === null ? "Deferred work" : `Attempt ${number}`;
}

function Figures({ attempt }: { attempt: Attempt }): JSX.Element | null {
  if (missedDeadline(attempt)) return null;
  return (
    <span class="attempt-figures">
      {isRequest(attempt) && <span title="Status of the answer">{answerOf(attempt)}</span>}
      <span title={isRequest(attempt) ? "From the request to the answer" : "From taking the work up to its end"}>{formatMicros(attempt.duration_us)}</span>
    </span>
  );
}

/** What the sender got: nothing where it had left, whatever the handler did. */
function answerOf({ status, sender_left: left }: Attempt): string {
  return status === undefined || left === true ? "no answer" : `HTTP ${status}`;
}

/** Why it failed, where it did. */
function Failures({ failure }: { failure: Attempt["failure"] }): JSX.Element {
  return (
    <>
      {failure?.reason !== undefined && <Finding name="Reason given"><span class="wire">{failure.reason}</span></Finding>}
      {failure?.error && (
        <Finding name="Error">
          <code>{failure.error.type}</code> <span class="wire">{failure.error.message}</span>
          <span class="muted nowrap" title="The same for errors of one cause"> #{failure.error.fingerprint}</span>
        </Finding>
      )}
    </>
  );
}

/** What another process, or nobody, said of deferred work. */
function RestFindings({ attempt }: { attempt: Attempt }): JSX.Element | null {
  if (attempt.failure === undefined) return null;
  return (
    <dl class="findings">
      {missedDeadline(attempt)
        ? <Finding name="Deadline">Not marked by its deadline: nobody said how the work ended.</Finding>
        : <Failures failure={attempt.failure} />}
    </dl>
  );
}

/** What was found out about the attempt, the worst first. */
function RequestFindings({ entry }: { entry: Entry }): JSX.Element {
  const { verification, dedup, failure, provider_timestamp: signed, request, response, received_at: received, sender_left: left, status } = entry.attempt;
  const dedupSaid = dedupWord(dedup.result);
  return (
    <dl class="findings">
      {verification.code !== undefined && <Reason code={verification.code} diagnosed={verification.diagnosis !== undefined} />}
      {verification.diagnosis && <Finding name="Diagnosis"><DiagnosisNote diagnosis={verification.diagnosis} /></Finding>}
      <Failures failure={failure} />
      {left === true && <Finding name="Sender">{leftEarly(status)}</Finding>}
      {entry.attempt.deferred_until !== undefined && <Finding name="Deferred"><Deferral entry={entry} /></Finding>}
      <Finding name="Verification">{VERIFICATION[verification.result]}</Finding>
      <Finding name="De-duplication">
        {dedupSaid.label}. <span class="muted">{dedupSaid.meaning}</span>
        {dedup.store !== undefined && <span class="muted"> · {dedup.store} store</span>}
      </Finding>
      {signed !== undefined && (
        <Finding name="Signed">
          {lag(received - signed)}
        </Finding>
      )}
      <Finding name="Request">
        <code>{request.method} {request.path}</code> <span class="muted">{formatBytes(request.size)}</span>
        {response && <span class="muted"> · answer {formatBytes(response.size)}</span>}
      </Finding>
    </dl>
  );
}

/** It may try again: the retry gets the stored answer, or runs the handler once more where that failed. */
function leftEarly(status: number | undefined): string {
  const ran = "It closed the connection before it was answered, and the handler ran on";
  return status === undefined ? `${ran}.` : `${ran} to HTTP ${status}, which nobody got.`;
}

const VERIFICATION: Record<Attempt["verification"]["result"], string> = {
  verified: "Verified.",
  rejected: "Refused.",
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
