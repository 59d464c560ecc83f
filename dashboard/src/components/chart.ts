/** The uPlot chart of attempts and failures: a canvas, so every colour is handed to it. */
import uPlot from "uplot";
import { formatCompact, formatTick } from "../format.ts";
import type { SeriesPoint } from "../types.ts";

export interface ChartColours {
  attempts: string;
  failed: string;
  text: string;
  grid: string;
  surface: string;
}

export interface ChartSpan {
  from: number;
  to: number;
}

export interface ChartInput {
  /** Asked at each drawing, so that a change of theme needs only a redraw. */
  colours: () => ChartColours;
  span: () => ChartSpan;
  /** The point under the cursor, or null. */
  onPoint: (index: number | null) => void;
}

export const CHART_HEIGHT = 184;
const INTEGER_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7];

export function createChart(host: HTMLElement, input: ChartInput): uPlot {
  const paths = uPlot.paths.bars?.({ size: [0.76, 28] });
  if (!paths) throw new Error("uPlot has no bars");
  const font = `11px ${getComputedStyle(host).fontFamily}`;
  const axis = {
    stroke: () => input.colours().text,
    font,
    ticks: { show: false },
  };
  return new uPlot({
    width: host.clientWidth,
    height: CHART_HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { time: true, range: () => [input.span().from / 1e6, input.span().to / 1e6] },
      y: { range: (_chart, _least, most) => [0, Math.max(4, most * 1.08)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 72,
        grid: { show: false },
        values: (_chart, splits) => splits.map((at) => formatTick(at * 1e6, (input.span().to - input.span().from) / 1e6)),
      },
      {
        ...axis,
        size: 44,
        space: 36,
        incrs: INTEGER_STEPS,
        grid: { stroke: () => input.colours().grid, width: 1 },
        values: (_chart, splits) => splits.map(formatCompact),
      },
    ],
    series: [
      {},
      { label: "Attempts", paths, points: { show: false }, fill: () => input.colours().attempts, width: 0 },
      { label: "Failed", paths, points: { show: false }, fill: () => hatch(input.colours()), width: 0 },
    ],
    hooks: { setCursor: [(chart) => { input.onPoint(chart.cursor.idx ?? null); }] },
  }, [[], [], []], host);
}

/** A point stands in the middle of its step. */
export function chartData(series: readonly SeriesPoint[], stepSeconds: number): uPlot.AlignedData {
  return [
    series.map((point) => point.at / 1e6 + stepSeconds / 2),
    series.map((point) => point.attempts),
    series.map((point) => point.failed),
  ];
}

/** Stripes, so that failures are told from attempts without their colour. */
function hatch(colours: ChartColours): CanvasPattern | string {
  const size = Math.round(5 * devicePixelRatio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (!pen) return colours.failed;
  pen.fillStyle = colours.failed;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colours.surface;
  pen.globalAlpha = 0.45;
  pen.lineWidth = size / 5;
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat") ?? colours.failed;
}
