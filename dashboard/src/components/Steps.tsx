import type { JSX } from "preact";
import { formatMicros } from "../format.ts";
import type { Attempt, Step } from "../types.ts";
import { SuspectedNote } from "./Suspected.tsx";

/** The steps along the time of the attempt, those that are missing, and those that are only usual. */
export function Steps({ attempt }: { attempt: Attempt }): JSX.Element | null {
  const steps = attempt.steps ?? [];
  const missing = attempt.missing_steps ?? [];
  const lacking = attempt.suspected_silent_drop ?? [];
  if (steps.length + missing.length + lacking.length === 0) return null;
  const whole = Math.max(attempt.duration_us, ...steps.map((step) => step.at_us), 1);
  return (
    <div class="work">
      <ol class="steps" aria-label="Steps">
        {steps.map((step, index) => <StepRow key={index} step={step} before={steps[index - 1]} whole={whole} />)}
        {missing.map((name, index) => (
          <li key={`missing ${index}`} data-missing>
            <span class="wire">{name}</span>
            <span class="step-missing">required, but not done</span>
            <span class="num">–</span>
          </li>
        ))}
        {lacking.map(({ step }) => (
          <li key={`usual ${step}`} data-usual>
            <span class="wire">{step}</span>
            <span class="step-missing">usual, but not recorded</span>
            <span class="num">–</span>
          </li>
        ))}
      </ol>
      {lacking.length > 0 && <SuspectedNote lacking={lacking} />}
    </div>
  );
}

interface StepRowProps {
  step: Step;
  /** A step that was not timed began when the one before it ended, as far as is known. */
  before: Step | undefined;
  whole: number;
}

function StepRow({ step, before, whole }: StepRowProps): JSX.Element {
  const { name, at_us: end, duration_us: duration, error } = step;
  const from = Math.max(0, duration === undefined ? (before?.at_us ?? 0) : end - duration);
  const width = Math.max(0, end - from) / whole;
  return (
    <li data-failed={error !== undefined}>
      <span class="wire">{name}</span>
      <span class="step-bar" aria-hidden="true">
        <span style={{ left: `${(from / whole) * 100}%`, width: `${width * 100}%` }} />
      </span>
      <span class="num" title={duration === undefined ? "Ended so long after the beginning" : `It took so long; it ended after ${formatMicros(end)}`}>
        {duration === undefined ? `at ${formatMicros(end)}` : formatMicros(duration)}
      </span>
      {error && (
        <span class="step-error">
          not done: <code>{error.type}</code> <span class="wire">{error.message}</span>
        </span>
      )}
    </li>
  );
}
