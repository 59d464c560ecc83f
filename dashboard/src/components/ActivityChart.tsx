import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { formatCount, formatDateTime, formatSpan, formatTick, isoTime, plural } from "../format.ts";
import { totalSeries } from "../merge.ts";
import { theme } from "../theme.ts";
import type { Overview, SeriesPoint } from "../types.ts";
import { CHART_HEIGHT, chartData, createChart, type ChartColours, type ChartSpan } from "./chart.ts";

/** Attempts and failures over the window, as a chart and as the same figures in a table. */
export function ActivityChart({ overview }: { overview: Overview }): JSX.Element {
  const series = useMemo(() => totalSeries(overview.rows), [overview]);
  const [index, setIndex] = useState<number | null>(null);
  const point = index === null ? undefined : series[index];
  const step = formatSpan(overview.step_seconds * 1e6);
  return (
    <figure class="panel chart">
      <figcaption class="panel-head">
        <h2>Attempts</h2>
        <Readout point={point} overview={overview} step={step} />
      </figcaption>
      <Canvas overview={overview} series={series} onPoint={setIndex} />
      <Twin series={series} />
    </figure>
  );
}

/** What lies under the pointer; the totals when there is no pointer. It is the legend as well. */
function Readout({ point, overview, step }: { point: SeriesPoint | undefined; overview: Overview; step: string }): JSX.Element {
  const { totals } = overview;
  const attempts = point?.attempts ?? totals.attempts;
  const failed = point?.failed ?? totals.failed + totals.silent_drop + totals.unavailable;
  const span = (overview.to - overview.from) / 1e6;
  return (
    <p class="readout">
      <span class="swatch" data-series="attempts"><i aria-hidden="true" />{plural(attempts, "attempt")}</span>
      <span class="swatch" data-series="failed"><i aria-hidden="true" />{formatCount(failed)} failed</span>
      <span class="muted">{point ? `${formatTick(point.at, span)} + ${step}` : `by ${step}`}</span>
    </p>
  );
}

interface CanvasProps {
  overview: Overview;
  series: SeriesPoint[];
  onPoint: (index: number | null) => void;
}

function Canvas({ overview, series, onPoint }: CanvasProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(overview);
  latest.current = overview;

  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const plot = createChart(element, {
      colours: () => coloursOf(element),
      span: () => spanOf(latest.current),
      onPoint,
    });
    chart.current = plot;
    const sized = new ResizeObserver(() => { plot.setSize({ width: element.clientWidth, height: CHART_HEIGHT }); });
    sized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => { plot.redraw(false); };
    dark.addEventListener("change", redraw);
    const unsubscribe = theme.subscribe(redraw);
    return () => {
      unsubscribe();
      dark.removeEventListener("change", redraw);
      sized.disconnect();
      plot.destroy();
    };
  }, []);

  useEffect(() => {
    chart.current?.setData(chartData(series, overview.step_seconds));
  }, [series, overview]);

  // The table below says the same to those who cannot see a canvas.
  return <div class="canvas" ref={host} aria-hidden="true" />;
}

/** From the first step to the end of the last, which is not over yet. */
function spanOf({ from, to, rows, step_seconds: step }: Overview): ChartSpan {
  const last = rows[0]?.series.at(-1)?.at ?? to;
  return { from, to: Math.max(to, last + step * 1e6) };
}

/** Custom properties with `light-dark()` are text until a real property uses them: probes resolve them. */
function coloursOf(host: HTMLElement): ChartColours {
  const style = getComputedStyle(host);
  return {
    attempts: style.outlineColor,
    failed: style.columnRuleColor,
    text: style.color,
    grid: style.borderTopColor,
    surface: style.backgroundColor,
  };
}

function Twin({ series }: { series: readonly SeriesPoint[] }): JSX.Element {
  const busy = series.filter((point) => point.attempts > 0).reverse();
  return (
    <details class="twin">
      <summary>The same as a table</summary>
      <div class="table-scroll" role="region" aria-label="Attempts over time" tabIndex={0}>
        <table>
          <thead>
            <tr><th scope="col">From</th><th scope="col" class="num">Attempts</th><th scope="col" class="num">Failed</th></tr>
          </thead>
          <tbody>
            {busy.map((point) => (
              <tr key={point.at}>
                <th scope="row"><time dateTime={isoTime(point.at)}>{formatDateTime(point.at)}</time></th>
                <td class="num">{formatCount(point.attempts)}</td>
                <td class="num">{formatCount(point.failed)}</td>
              </tr>
            ))}
            {busy.length === 0 && <tr><td colSpan={3}>No attempts in this window.</td></tr>}
          </tbody>
        </table>
      </div>
      <p class="muted">Steps without attempts are left out; the newest stands first.</p>
    </details>
  );
}
