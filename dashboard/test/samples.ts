import type { Attempt, Diagnosis, MessageSummary, Outcome, Overview, OverviewRow } from "../src/types.ts";

/** A row of the overview, flawless unless told otherwise. */
export function row(changes: Partial<OverviewRow> = {}): OverviewRow {
  const counts = {
    processed: 10, failed: 0, silent_drop: 0, rejected: 0, in_flight: 0, unavailable: 0, duplicate: 0, ignored: 0, deferred: 0,
    continued: 0, suspected_silent_drop: 0, ...changes,
  };
  const tried = counts.processed + counts.failed + counts.silent_drop + counts.unavailable;
  return {
    endpoint: "clerk", provider: "clerk", event_type: "user.created", p50_us: 1_000, p95_us: 2_000, last_seen: 0, series: [],
    attempts: tried + counts.rejected + counts.in_flight + counts.duplicate + counts.ignored
      + counts.deferred - counts.continued,
    success_rate: tried === 0 ? null : counts.processed / tried,
    ...counts,
  };
}

export function overview(rows: OverviewRow[]): Overview {
  const totals = {
    attempts: 0, processed: 0, failed: 0, silent_drop: 0, rejected: 0, in_flight: 0, unavailable: 0, duplicate: 0, ignored: 0,
    deferred: 0, continued: 0, suspected_silent_drop: 0,
  };
  for (const one of rows) for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += one[name];
  const tried = totals.processed + totals.failed + totals.silent_drop + totals.unavailable;
  return {
    from: 0, to: 3_600_000_000, step_seconds: 60, rows, rejections: [], cases: [],
    totals: { ...totals, success_rate: tried === 0 ? null : totals.processed / tried, client_dropped: 0 },
  };
}

export function attempt(outcome: Outcome, changes: Partial<Attempt> = {}): Attempt {
  return {
    id: "0199a5b0-0000-7000-8000-000000000000", endpoint: "clerk", provider: "clerk", received_at: 0, duration_us: 1_000, stored_at: 0,
    outcome, verification: { result: "verified" }, dedup: { result: "new" }, request: { method: "POST", path: "/", size: 2 }, ...changes,
  };
}

export function message(id: number, lastSeen: number, changes: Partial<MessageSummary> = {}): MessageSummary {
  return {
    id, endpoint: "clerk", provider: "clerk", message_id: `msg_${id}`, event_type: "user.created", entity_id: null,
    first_seen: lastSeen, last_seen: lastSeen, attempts: 1, outcome: "processed", suspected_silent_drop: false, not_handled: false, ...changes,
  };
}

export const DIAGNOSIS: Diagnosis = {
  finding: "secret_of_another_endpoint",
  certainty: "proved",
  evidence: "The signature is right with the secret of the endpoint billing.",
  fix: "Give this endpoint its own secret from the page of this very endpoint in the provider's dashboard.",
};

const MINUTE = 60_000_000;

/** An attempt whose handler deferred its work for five minutes. */
export function deferred(changes: Partial<Attempt> = {}): Attempt {
  return attempt("deferred", { id: "0199a5b0-0000-7000-8000-00000000000d", deferred_until: 5 * MINUTE, status: 202, ...changes });
}

/** What became of it, a minute after the request. */
export function rest(outcome: Outcome, changes: Partial<Attempt> = {}): Attempt {
  return attempt(outcome, {
    id: "0199a5b0-0000-7000-8000-00000000000e", continues: deferred().id, received_at: MINUTE, dedup: { result: "off" },
    request: { method: "", path: "", size: 0 }, ...changes,
  });
}

/** What the collector says when nobody did. */
export const MISSED = rest("silent_drop", {
  id: "0199a5b0-0000-8000-8000-00000000000f", received_at: 5 * MINUTE, duration_us: 0, failure: { reason: "not marked by its deadline" },
});
