/** Figures and times as people read them. Times are microseconds since the Unix epoch. */

const LOCALE = "en-GB";
const NONE = "–";

const count = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export function formatCount(value: number): string {
  return count.format(value);
}

/** `12,340` below a hundred thousand, `1.2M` above. */
export function formatCompact(value: number): string {
  return value < 100_000 ? count.format(value) : compact.format(value);
}

/** Cut, never rounded up: only a flawless row reads `100%`. */
export function formatRate(rate: number | null): string {
  if (rate === null) return NONE;
  if (rate >= 1) return "100%";
  if (rate <= 0) return "0%";
  return `${(Math.floor(rate * 1000 + 1e-9) / 10).toFixed(1)}%`;
}

/** Three significant digits and a unit: `840 µs`, `12.4 ms`, `1.25 s`, `2 min 5 s`. */
export function formatMicros(us: number | null): string {
  if (us === null) return NONE;
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${significant(us / 1000)} ms`;
  if (us < 59_950_000) return `${significant(us / 1_000_000)} s`;
  return formatSpan(us);
}

/** A span of time in its two largest units: `45 s`, `5 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatSpan(us: number): string {
  const seconds = Math.round(Math.abs(us) / 1_000_000);
  const units: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) return "0 s";
  let rest = seconds;
  const parts: string[] = [];
  for (const [size, unit] of units.slice(first, first + 2)) {
    const whole = Math.floor(rest / size);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    rest -= whole * size;
  }
  return parts.join(" ");
}

/** `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`: one unit, cut. A clock that runs ahead reads as `now`. */
export function formatAgo(at: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - at / 1000) / 1000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `24 Nov 2026, 00:31:07` in the reader's time zone. */
export function formatDateTime(at: number): string {
  return new Date(at / 1000).toLocaleString(LOCALE, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
}

/** `00:31:07.042`: for the attempts of one message. */
export function formatClock(at: number): string {
  return new Date(at / 1000).toLocaleTimeString(LOCALE, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
  });
}

/** The label of a point on a time axis: clock time, and the day where it begins or the axis spans several. */
export function formatTick(at: number, spanSeconds: number): string {
  const date = new Date(at / 1000);
  const clock = date.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
  const day = date.toLocaleDateString(LOCALE, { weekday: "short", day: "numeric" });
  if (date.getHours() === 0 && date.getMinutes() === 0) return day;
  return spanSeconds > 2 * 86_400 ? `${day} ${clock}` : clock;
}

/** For `<time datetime>`. Times outside what a date can hold give an empty string. */
export function isoTime(at: number): string {
  const date = new Date(at / 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${significant(bytes / 1024)} KiB`;
  return `${significant(bytes / 1024 / 1024)} MiB`;
}

/** `1 attempt`, `2 attempts`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13;
  const suffix = teens ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${formatCount(n)}${suffix}`;
}

function significant(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
