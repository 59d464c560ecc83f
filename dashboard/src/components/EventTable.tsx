import type { JSX } from "preact";
import { formatCompact, formatMicros, formatRate } from "../format.ts";
import { groupRows, healthOf, type EndpointGroup, type Health } from "../health.ts";
import { SUSPECTED, type OverviewRow } from "../types.ts";
import { SUSPECTED_WORD } from "../vocabulary.ts";
import { queryString } from "../api.ts";
import { Icon } from "./Icon.tsx";
import { Sparkline } from "./Sparkline.tsx";
import { Ago } from "./Time.tsx";

const COLUMNS = 10;

/** Every event type of every endpoint, with how it fares. */
export function EventTable({ rows }: { rows: readonly OverviewRow[] }): JSX.Element | null {
  const groups = groupRows(rows);
  if (groups.length === 0) return null;
  return (
    <div class="table-scroll" role="region" aria-label="Event types" tabIndex={0}>
      <table class="events">
        <thead>
          <tr>
            <th scope="col">Event type</th>
            <th scope="col" class="wide">Trend</th>
            <th scope="col" class="num">Attempts</th>
            <th scope="col" class="num">Success</th>
            <th scope="col" class="num">Failed</th>
            <th scope="col" class="num">Silent drops</th>
            <th scope="col" class="num">Duplicates</th>
            <th scope="col" class="num"><abbr title="Half of the handled attempts took at most this long">p50</abbr></th>
            <th scope="col" class="num"><abbr title="95 of 100 handled attempts took at most this long">p95</abbr></th>
            <th scope="col" class="num">Last seen</th>
          </tr>
        </thead>
        {groups.map((group) => <Endpoint key={group.key} group={group} />)}
      </table>
    </div>
  );
}

function Endpoint({ group }: { group: EndpointGroup }): JSX.Element {
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup" colSpan={COLUMNS}>
          <span class="group-label">
            {group.endpoint}
            {group.provider !== group.endpoint && <span class="muted"> · {group.provider}</span>}
          </span>
        </th>
      </tr>
      {group.rows.map((row) => <EventRow key={row.event_type ?? ""} row={row} />)}
    </tbody>
  );
}

function EventRow({ row }: { row: OverviewRow }): JSX.Element {
  const health = healthOf(row);
  const query = queryString({ endpoint: row.endpoint, event_type: row.event_type ?? undefined });
  return (
    <tr data-health={health} data-event-type={row.event_type ?? ""}>
      <th scope="row">
        <a href={`/messages?${query}`}>{row.event_type ?? "(no event type)"}</a>
        <HealthMark health={health} />
        {row.suspected_silent_drop > 0 && <Suspects row={row} />}
      </th>
      <td class="wide"><Sparkline series={row.series} /></td>
      <td class="num" data-cell="attempts">{formatCompact(row.attempts)}</td>
      <td class="num" data-cell="success"><Success rate={row.success_rate} /></td>
      <Counted name="failed" value={row.failed} tone="bad" />
      <Counted name="silent_drop" value={row.silent_drop} tone="warn" />
      <Counted name="duplicate" value={row.duplicate} />
      <td class="num" data-cell="p50">{formatMicros(row.p50_us)}</td>
      <td class="num" data-cell="p95">{formatMicros(row.p95_us)}</td>
      <td class="num nowrap"><Ago at={row.last_seen} /></td>
    </tr>
  );
}

function HealthMark({ health }: { health: Health }): JSX.Element | null {
  if (health === "failing") return <span class="mark" data-tone="bad"><Icon name="failed" />Failing</span>;
  if (health === "unsteady") return <span class="mark" data-tone="warn"><Icon name="unavailable" />Some failed</span>;
  return null;
}

/** The way to the messages under suspicion. */
function Suspects({ row }: { row: OverviewRow }): JSX.Element {
  const query = queryString({ endpoint: row.endpoint, event_type: row.event_type ?? undefined, outcome: SUSPECTED });
  return (
    <a class="mark" data-tone="warn" href={`/messages?${query}`} title={SUSPECTED_WORD.meaning}>
      <Icon name="suspected" />{formatCompact(row.suspected_silent_drop)} suspected
    </a>
  );
}

function Success({ rate }: { rate: number | null }): JSX.Element {
  return (
    <>
      {formatRate(rate)}
      <span class="meter" aria-hidden="true">
        {rate !== null && <span style={{ width: `${rate * 100}%` }} />}
      </span>
    </>
  );
}

function Counted({ name, value, tone }: { name: string; value: number; tone?: string }): JSX.Element {
  return (
    <td class="num" data-cell={name} data-tone={value > 0 ? tone : undefined} data-zero={value === 0}>
      {formatCompact(value)}
    </td>
  );
}
