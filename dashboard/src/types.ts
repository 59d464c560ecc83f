/** The shapes of the collector's API. Times are microseconds since the Unix epoch unless a name says otherwise. */

export const OUTCOMES = [
  "processed", "silent_drop", "failed", "rejected", "in_flight", "unavailable", "duplicate", "ignored", "deferred",
] as const;

/** What became of an attempt. A newer collector may send one that this page does not know. */
export type Outcome = (typeof OUTCOMES)[number];

/** Stands beside the outcomes in the filter: processed, and suspected. */
export const SUSPECTED = "suspected_silent_drop";
/** The same: messages of open cases. */
export const NOT_HANDLED = "not_handled";

export const WINDOWS = ["15m", "1h", "24h", "7d"] as const;
export type Window = (typeof WINDOWS)[number];

export type OutcomeCounts = Record<Outcome, number> & {
  /** Requests. What became of deferred work is counted by outcome, and is no request. */
  attempts: number;
  /** Records of what became of deferred work. */
  continued: number;
  suspected_silent_drop: number;
  /** Outcomes of a newer version, which this collector does not know. */
  other?: number;
  /** Processed among all that should have been: what failed, was dropped, or found the dedup store away. */
  success_rate: number | null;
};

export interface SeriesPoint {
  at: number;
  attempts: number;
  failed: number;
}

export interface OverviewRow extends OutcomeCounts {
  endpoint: string;
  provider: string;
  /** null: the type was never known, mostly because the request was refused. */
  event_type: string | null;
  p50_us: number | null;
  p95_us: number | null;
  last_seen: number;
  series: SeriesPoint[];
}

export interface Rejection {
  endpoint: string;
  code: string;
  count: number;
}

/** Identical messages under other ids than the one that was handled, until somebody has looked at them. */
export interface Case {
  id: number;
  endpoint: string;
  provider: string;
  event_type: string | null;
  message: number | null;
  message_id: string | null;
  /** Attempts; those beyond ten are only counted. */
  count: number;
  /** How many of them nobody has looked at. */
  not_handled: number;
  first_seen: number;
  last_seen: number;
}

export interface Overview {
  from: number;
  to: number;
  step_seconds: number;
  totals: OutcomeCounts & {
    /** Attempts that senders recorded and could not deliver. */
    client_dropped: number;
  };
  rows: OverviewRow[];
  rejections: Rejection[];
  cases: Case[];
}

export interface MessageSummary {
  id: number;
  endpoint: string;
  provider: string;
  message_id: string | null;
  event_type: string | null;
  entity_id: string | null;
  first_seen: number;
  last_seen: number;
  attempts: number;
  outcome: Outcome;
  suspected_silent_drop: boolean;
  not_handled: boolean;
}

export interface MessageList {
  messages: MessageSummary[];
  next: string | null;
}

/** Why a signature failed. `certainty` is `proved` or `likely`; a newer sender may know more words than this page. */
export interface Diagnosis {
  finding: string;
  certainty: string;
  evidence: string;
  fix: string;
}

export interface ErrorInfo {
  type: string;
  message: string;
  fingerprint: string;
}

export interface Step {
  name: string;
  /** When it ended, after the request came in. */
  at_us: number;
  duration_us?: number;
  /** A step with one was not done. */
  error?: ErrorInfo;
}

/** A usual step that a processed message lacks: so many of so many messages recorded it. */
export interface Lacking {
  step: string;
  recorded: number;
  of: number;
}

export interface Attempt {
  id: string;
  /** The attempt whose deferred work this is the rest of: then this is no request. */
  continues?: string;
  endpoint: string;
  provider: string;
  message_id?: string;
  event_type?: string;
  entity_id?: string;
  received_at: number;
  provider_timestamp?: number;
  duration_us: number;
  status?: number;
  /** The sender closed the connection before it was answered. */
  sender_left?: boolean;
  outcome: Outcome;
  /** By when deferred work is to be marked. */
  deferred_until?: number;
  verification: { result: "verified" | "rejected" | "unverified"; code?: string; diagnosis?: Diagnosis };
  dedup: { result: string; store?: string };
  steps?: Step[];
  missing_steps?: string[];
  failure?: { reason?: string; error?: ErrorInfo };
  request: { method: string; path: string; headers?: Record<string, string>; size: number };
  response?: { size: number };
  bodies?: { request?: string; response?: string };
  metadata?: Record<string, unknown>;
  stored_at: number;
  suspected_silent_drop?: Lacking[];
}

export interface MessageDetail extends MessageSummary {
  attempts_list: Attempt[];
  /** Records that the collector can no longer read. */
  unreadable: number;
}

export interface ApiKey {
  id: number;
  name: string;
  prefix: string;
  created_at: number;
  last_used_at: number | null;
}

export interface SetupState {
  endpoint_url: string;
  dev_key: string | null;
  keys: ApiKey[];
  first_event_at: number | null;
  attempts_stored: number;
}

export interface NewKey {
  id: number;
  name: string;
  prefix: string;
  key: string;
}

/** One attempt as the live stream tells it. */
export interface LiveAttempt {
  id: string;
  message: number | null;
  endpoint: string;
  event_type: string | null;
  outcome: Outcome;
  received_at: number;
  duration_us: number;
  status: number | null;
  continues: string | null;
  suspected_silent_drop: boolean;
}
