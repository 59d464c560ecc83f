import type { JSX } from "preact";
import { formatCount } from "../format.ts";
import type { MessageSummary } from "../types.ts";
import { NotHandledMark } from "./Cases.tsx";
import { OutcomeBadge } from "./OutcomeBadge.tsx";
import { SuspectedMark } from "./Suspected.tsx";
import { Ago } from "./Time.tsx";

/** Messages, newest first, each a link to its attempts. */
export function MessageTable({ messages }: { messages: readonly MessageSummary[] }): JSX.Element {
  return (
    <div class="table-scroll" role="region" aria-label="Messages" tabIndex={0}>
      <table class="messages">
        <thead>
          <tr>
            <th scope="col">Message</th>
            <th scope="col">Outcome</th>
            <th scope="col">Event type</th>
            <th scope="col" class="num">Attempts</th>
            <th scope="col">Entity</th>
            <th scope="col">Endpoint</th>
            <th scope="col" class="num">Last seen</th>
          </tr>
        </thead>
        <tbody>{messages.map((message) => <MessageRow key={message.id} message={message} />)}</tbody>
      </table>
    </div>
  );
}

function MessageRow({ message }: { message: MessageSummary }): JSX.Element {
  return (
    <tr data-message={message.message_id ?? ""}>
      <th scope="row" class="mono" title={message.message_id ?? undefined}><a href={`/messages/${message.id}`}>{messageName(message)}</a></th>
      <td><OutcomeBadge outcome={message.outcome} />{message.suspected_silent_drop && <SuspectedMark />}{message.not_handled && <NotHandledMark />}</td>
      <td>{message.event_type ?? <Unknown />}</td>
      <td class="num">{formatCount(message.attempts)}</td>
      <td class="mono clip" title={message.entity_id ?? undefined}>{message.entity_id ?? <Unknown />}</td>
      <td>{message.endpoint}</td>
      <td class="num nowrap"><Ago at={message.last_seen} /></td>
    </tr>
  );
}

function Unknown(): JSX.Element {
  return <span class="muted" title="Not known">–</span>;
}

/** The provider's id, or what stands in for it when a refused request had none. */
export function messageName(message: Pick<MessageSummary, "id" | "message_id">): string {
  return message.message_id ?? `without an id (#${message.id})`;
}
