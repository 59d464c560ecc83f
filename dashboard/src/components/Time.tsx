import type { JSX } from "preact";
import { formatAgo, formatDateTime, isoTime } from "../format.ts";
import { now } from "../state.ts";

/** A time as a distance from now; the exact one is its tooltip and its `datetime`. */
export function Ago({ at }: { at: number }): JSX.Element {
  return <time dateTime={isoTime(at)} title={formatDateTime(at)}>{formatAgo(at, now.value)}</time>;
}

/** A date and time, with its distance from now behind it. */
export function Moment({ at }: { at: number }): JSX.Element {
  return (
    <time dateTime={isoTime(at)} title={isoTime(at)}>
      {formatDateTime(at)} <span class="muted">({formatAgo(at, now.value)})</span>
    </time>
  );
}
