import type { JSX } from "preact";
import { plural } from "../format.ts";
import type { SeriesPoint } from "../types.ts";

const HEIGHT = 24;
const BAR = 0.76;
/** A single attempt beside a thousand is still seen. */
const LEAST = 1.5;

/** Attempts over the window as bars, the failed part of each from the ground up. */
export function Sparkline({ series }: { series: readonly SeriesPoint[] }): JSX.Element {
  const peak = Math.max(1, ...series.map((point) => point.attempts));
  const failed = series.reduce((sum, point) => sum + point.failed, 0);
  const label = `Trend: at most ${plural(peak, "attempt")} a step, ${failed === 0 ? "none failed" : `${plural(failed, "attempt")} failed`}`;
  return (
    <svg class="sparkline" role="img" aria-label={label} viewBox={`0 0 ${Math.max(series.length, 1)} ${HEIGHT}`} preserveAspectRatio="none">
      <path class="ground" d={`M0 ${HEIGHT}h${series.length}`} />
      <path class="all" d={bars(series.map((point) => point.attempts), peak)} />
      <path class="failed" d={bars(series.map((point) => point.failed), peak)} />
    </svg>
  );
}

/** One path of upright bars. */
export function bars(values: readonly number[], peak: number): string {
  return values
    .map((value, index) => {
      if (value <= 0) return "";
      const height = round(Math.max(LEAST, (value / peak) * HEIGHT));
      return `M${round(index + (1 - BAR) / 2)} ${HEIGHT}v${-height}h${BAR}v${height}z`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
