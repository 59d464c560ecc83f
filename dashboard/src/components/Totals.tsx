import type { JSX } from "preact";
import { formatCompact, formatCount, formatRate } from "../format.ts";
import { SUSPECTED, type Overview } from "../types.ts";
import { outcomeWord, SUSPECTED_WORD } from "../vocabulary.ts";

/** Always there, in this order. */
const SHOWN = { failed: "Failed", silent_drop: "Silent drops", rejected: "Refused", duplicate: "Duplicates" };

/** The window in figures. Outcomes that did not occur are grey, so that the others are seen. */
export function Totals({ totals }: { totals: Overview["totals"] }): JSX.Element {
  const lost = totals.client_dropped;
  const shown = (Object.keys(SHOWN) as (keyof typeof SHOWN)[]).map((outcome) => ({
    ...outcomeWord(outcome), label: SHOWN[outcome], outcome, value: totals[outcome],
  }));
  const rare = (["deferred", "in_flight", "unavailable", "ignored"] as const)
    .filter((outcome) => totals[outcome] > 0)
    .map((outcome) => ({ ...outcomeWord(outcome), outcome, value: totals[outcome] }));
  return (
    <dl class="totals">
      <Figure name="attempts" label="Attempts" value={totals.attempts} />
      <div class="figure" data-figure="success">
        <dt>Success rate</dt>
        <dd>{formatRate(totals.success_rate)}</dd>
      </div>
      {[...shown, ...rare].map(({ outcome, label, tone, value, meaning }) => (
        <Figure key={outcome} name={outcome} label={label} value={value} tone={tone} title={meaning} />
      ))}
      {totals.suspected_silent_drop > 0 && (
        <Figure name={SUSPECTED} label="Suspected drops" value={totals.suspected_silent_drop} tone={SUSPECTED_WORD.tone} title={SUSPECTED_WORD.meaning} />
      )}
      {lost > 0 && (
        <Figure name="client_dropped" label="Lost by senders" value={lost} tone="warn" title="Attempts that applications recorded but could not deliver to this collector" />
      )}
    </dl>
  );
}

interface FigureProps {
  name: string;
  label: string;
  value: number;
  tone?: string;
  title?: string;
}

function Figure({ name, label, value, tone, title }: FigureProps): JSX.Element {
  return (
    <div class="figure" data-figure={name} data-tone={value > 0 ? tone : undefined} data-zero={value === 0} title={title}>
      <dt>{label}</dt>
      <dd title={formatCount(value)}>{formatCompact(value)}</dd>
    </div>
  );
}
