import type { ComponentChildren, JSX } from "preact";
import { formatDateTime, formatSpan, isoTime } from "../format.ts";
import { now } from "../state.ts";
import { missedDeadline, type Entry } from "../timeline.ts";
import type { Attempt } from "../types.ts";
import { outcomeWord } from "../vocabulary.ts";

/** Where a record stands on the page. */
export function anchorOf({ id }: Pick<Attempt, "id">): string {
  return `attempt-${id}`;
}

/** By when deferred work is to be marked, and how it ended. */
export function Deferral({ entry: { attempt, endings } }: { entry: Entry }): JSX.Element | null {
  const { deferred_until: deadline } = attempt;
  if (deadline === undefined) return null;
  return (
    <>
      <span>to be marked by <time dateTime={isoTime(deadline)}>{formatDateTime(deadline)}</time></span>
      {endings.length === 0 && <Waiting deadline={deadline} />}
      {endings.map((ending) => (
        <span class="ending" key={ending.id}>
          <a href={`#${anchorOf(ending)}`}>
            {missedDeadline(ending) ? "Not marked by its deadline" : outcomeWord(ending.outcome).label}
          </a>
          {!missedDeadline(ending) && <Late late={endOf(ending) - deadline} after={endOf(ending) - attempt.received_at} />}
        </span>
      ))}
    </>
  );
}

function Waiting({ deadline }: { deadline: number }): JSX.Element {
  const left = deadline - now.value * 1000;
  return <span class="ending muted">{left > 0 ? `Not marked yet: ${formatSpan(left)} left` : "Not marked yet: the deadline has passed"}</span>;
}

function Late({ late, after }: { late: number; after: number }): JSX.Element {
  return <span class="muted"> {formatSpan(Math.max(0, after))} after the request{late > 0 && `, ${formatSpan(late)} too late`}</span>;
}

/** When the other process was done. */
function endOf(ending: Attempt): number {
  return ending.received_at + ending.duration_us;
}

/** The request whose work this is the rest of. */
export function RestOf({ entry }: { entry: Entry }): ComponentChildren {
  const { attempt, restOf } = entry;
  if (attempt.continues === undefined) return null;
  if (restOf === null) return <>the deferred work of an attempt that is not stored: <code>{attempt.continues}</code></>;
  return <>the deferred work of <a href={`#${anchorOf({ id: attempt.continues })}`}>attempt {restOf}</a></>;
}
