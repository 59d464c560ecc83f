import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { ApiError, queryString } from "../api.ts";
import { mergeMessages, newestDownTo } from "../merge.ts";
import { useResource } from "../resource.ts";
import { api, useLive } from "../state.ts";
import type { MessageList as Page, MessageSummary } from "../types.ts";
import type { MessageFilter } from "./MessageFilters.tsx";
import { MessageTable } from "./MessageTable.tsx";
import { Failure, Loading } from "./Notice.tsx";

interface MessageListProps {
  filter: MessageFilter;
  limit: number;
  /** Whether older pages can be asked for. */
  paged?: boolean;
}

function Nothing({ filter }: { filter: MessageFilter }): JSX.Element {
  if (filter.message_id !== "") return <p class="empty">No message has this id and passes the other filters. The id must be whole.</p>;
  const filtered = Object.values(filter).some((value) => value !== "");
  return <p class="empty">{filtered ? "No message passes this filter." : "No message is stored yet."}</p>;
}

/** Older pages, once they were asked for. */
interface Older {
  messages: MessageSummary[];
  next: Page["next"];
}

/** The newest messages that pass the filter; moves with the live stream. Use a `key` of the filter. */
export function MessageList({ filter, limit, paged = false }: MessageListProps): JSX.Element {
  const key = queryString({ ...filter, limit });
  const kept = useRef<Older | null>(null);
  const [, redraw] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const fetch = (signal?: AbortSignal) => (before?: string): Promise<Page> => api.messages({ ...filter, limit, before }, signal);
  const load = async (signal: AbortSignal): Promise<Page> => {
    const { current: older } = kept;
    if (older === null) return fetch(signal)();
    const { messages, next, closed } = await newestDownTo(older.messages, fetch(signal));
    // What is shown stays, unless so much arrived that a gap would be left: then the list begins anew.
    kept.current = closed ? { messages: mergeMessages(older.messages, messages), next: older.next } : null;
    return { messages: [...messages], next };
  };
  const newest = useResource(key, load);
  useLive({ attempts: newest.refresh, gap: newest.refresh });

  if (!newest.data) return newest.error ? <Failure error={newest.error} retry={newest.refresh} /> : <Loading what="messages" />;
  const { current: older } = kept;
  const messages = older ? older.messages : newest.data.messages;
  const next = older ? older.next : newest.data.next;
  if (messages.length === 0) return <Nothing filter={filter} />;

  const loadOlder = async (): Promise<void> => {
    if (next === null) return;
    try {
      const page = await fetch()(next);
      // The live stream may have brought newer ones meanwhile.
      kept.current = { messages: mergeMessages(mergeMessages(messages, kept.current?.messages ?? []), page.messages), next: page.next };
      setProblem(null);
    } catch (cause) {
      setProblem(cause instanceof ApiError ? cause.message : String(cause));
    }
    redraw((times) => times + 1);
  };
  return (
    <>
      <MessageTable messages={messages} />
      {paged && next !== null && (
        <p class="more">
          <button type="button" class="button" onClick={() => { void loadOlder(); }}>Show older messages</button>
          {problem !== null && <span role="alert">{problem}</span>}
        </p>
      )}
    </>
  );
}
