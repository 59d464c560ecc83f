import type { JSX } from "preact";
import { formatMicros } from "../format.ts";
import type { Attempt } from "../types.ts";

/** The handler's steps along the time of the attempt, and the required ones that are missing. */
export function Steps({ attempt }: { attempt: Attempt }): JSX.Element | null {
  const steps = attempt.steps ?? [];
  const missing = attempt.missing_steps ?? [];
  if (steps.length + missing.length === 0) return null;
  const whole = Math.max(attempt.duration_us, ...steps.map((step) => step.at_us), 1);
  return (
    <ol class="steps" aria-label="Steps">
      {steps.map((step, index) => {
        const from = steps[index - 1]?.at_us ?? 0;
        const width = Math.max(0, step.at_us - from) / whole;
        return (
          <li key={index}>
            <span class="wire">{step.name}</span>
            <span class="step-bar" aria-hidden="true">
              <span style={{ left: `${(from / whole) * 100}%`, width: `${width * 100}%` }} />
            </span>
            <span class="num" title="After the request arrived">{formatMicros(step.at_us)}</span>
          </li>
        );
      })}
      {missing.map((name) => (
        <li key={`missing ${name}`} data-missing>
          <span class="wire">{name}</span>
          <span class="step-missing">required, but not done</span>
          <span class="num">–</span>
        </li>
      ))}
    </ol>
  );
}
