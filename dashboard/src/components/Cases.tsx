import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { formatCount, plural } from "../format.ts";
import { api } from "../state.ts";
import type { Case } from "../types.ts";
import { NOT_HANDLED_WORD } from "../vocabulary.ts";
import { Icon } from "./Icon.tsx";
import { Ago } from "./Time.tsx";

/** Beside an outcome, which it does not change. */
export function NotHandledMark(): JSX.Element {
  return (
    <span class="badge suspected" data-tone={NOT_HANDLED_WORD.tone} title={NOT_HANDLED_WORD.meaning}>
      <Icon name="suspected" />{NOT_HANDLED_WORD.label}
    </span>
  );
}

/** Messages that were answered from the store because an identical one was handled: each waits for somebody to look. */
export function Cases({ cases, onAcknowledged }: { cases: readonly Case[]; onAcknowledged: () => void }): JSX.Element | null {
  if (cases.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="cases-title">
      <div class="panel-head"><h2 id="cases-title">Not handled: the same body under another id</h2></div>
      <p class="muted case-help">{NOT_HANDLED_WORD.meaning}</p>
      <ul class="refused">
        {cases.map((one) => <CaseRow key={one.id} one={one} onAcknowledged={onAcknowledged} />)}
      </ul>
    </section>
  );
}

function CaseRow({ one, onAcknowledged }: { one: Case; onAcknowledged: () => void }): JSX.Element {
  const [problem, setProblem] = useState<string | null>(null);
  const acknowledge = async (): Promise<void> => {
    try {
      // What came since this was shown stays open.
      await api.acknowledge(one.id, one.count);
      onAcknowledged();
    } catch (cause) {
      setProblem(cause instanceof ApiError ? cause.message : String(cause));
    }
  };
  const name = one.message_id ?? "without an id";
  return (
    <li data-case={one.id}>
      <span class="refused-count">{formatCount(one.not_handled)}</span>
      <div>
        <p class="refused-head">
          <span class="mono wire">{one.message === null ? name : <a href={`/messages/${one.message}`}>{name}</a>}</span>
          <span>{one.event_type ?? "an event without a type"} at {one.endpoint}</span>
        </p>
        <p class="muted">{plural(one.count, "attempt")} in all, the last <Ago at={one.last_seen} /></p>
        {problem !== null && <p class="problem" role="alert">{problem}</p>}
        <button type="button" class="button quiet" onClick={() => { void acknowledge(); }} aria-label={`Acknowledge ${name}`}>
          Acknowledge
        </button>
      </div>
    </li>
  );
}
