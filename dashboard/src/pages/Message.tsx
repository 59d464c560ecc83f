import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { AttemptCard, titleOf } from "../components/AttemptCard.tsx";
import { NotHandledMark } from "../components/Cases.tsx";
import { CopyButton } from "../components/CopyButton.tsx";
import { Icon } from "../components/Icon.tsx";
import { messageName } from "../components/MessageTable.tsx";
import { Failure, Loading, Notice, StaleBanner } from "../components/Notice.tsx";
import { OutcomeBadge } from "../components/OutcomeBadge.tsx";
import { SuspectedMark } from "../components/Suspected.tsx";
import { PageHeading } from "../components/PageHeading.tsx";
import { Moment } from "../components/Time.tsx";
import { Sentence } from "../components/Verdict.tsx";
import { queryString } from "../api.ts";
import { plural } from "../format.ts";
import { useResource } from "../resource.ts";
import { api, useLive } from "../state.ts";
import { storyOf } from "../story.ts";
import { entriesOf, isRequest } from "../timeline.ts";
import type { MessageDetail } from "../types.ts";
import { outcomeWord } from "../vocabulary.ts";

/** One message: what it is, and everything that became of it. */
export function MessagePage({ id }: { id: string }): JSX.Element {
  const { data, error, refresh } = useResource(id, (signal) => api.message(id, signal));
  useLive({
    attempts: (attempts) => { if (attempts.some((attempt) => String(attempt.message) === id)) refresh(); },
    gap: refresh,
  });
  return (
    <>
      <p class="crumb"><a href="/messages"><Icon name="back" />Messages</a></p>
      {data ? (
        <>
          {error && <StaleBanner error={error} retry={refresh} />}
          <Content message={data} />
        </>
      ) : (
        <>
          <PageHeading title="Message">Message</PageHeading>
          {!error && <Loading what="the message" />}
          {error?.status === 404 && (
            <Notice title="There is no such message">
              <p>It may have been removed with older data, or the address is not whole.</p>
              <p><a class="button" href="/messages">All messages</a></p>
            </Notice>
          )}
          {error && error.status !== 404 && <Failure error={error} retry={refresh} />}
        </>
      )}
    </>
  );
}

function Content({ message }: { message: MessageDetail }): JSX.Element {
  const attempts = message.attempts_list;
  const [first] = attempts;
  const known = useRef(attempts.length);
  const entries = entriesOf(attempts);
  const latest = entries.at(-1);
  return (
    <>
      <div class="page-head message-head">
        <PageHeading title={messageName(message)}><span class="mono wire">{messageName(message)}</span></PageHeading>
        {message.message_id !== null && <CopyButton text={message.message_id} what="message id" />}
      </div>
      <Sentence {...storyOf(attempts)} />
      <Facts message={message} />
      <h2 class="timeline-title">{plural(attempts.filter(isRequest).length, "attempt")}</h2>
      {first && (
        <ol class="timeline">
          {entries.map((entry, index) => (
            <AttemptCard key={entry.attempt.id} entry={entry} first={first} fresh={index >= known.current} />
          ))}
        </ol>
      )}
      {message.unreadable > 0 && (
        <p class="muted unreadable">{plural(message.unreadable, "record")} of this message can no longer be read, and {message.unreadable === 1 ? "is" : "are"} left out.</p>
      )}
      <p class="visually-hidden" role="status">
        {latest && attempts.length > known.current && `New: ${titleOf(latest).toLowerCase()}, ${outcomeWord(latest.attempt.outcome).label}`}
      </p>
    </>
  );
}

function Facts({ message }: { message: MessageDetail }): JSX.Element {
  const { endpoint, event_type: type } = message;
  return (
    <dl class="panel facts">
      <div><dt>Outcome</dt><dd><OutcomeBadge outcome={message.outcome} />{message.suspected_silent_drop && <SuspectedMark />}{message.not_handled && <NotHandledMark />}</dd></div>
      <div><dt>Event type</dt><dd>{type === null ? "not known" : <a href={`/messages?${queryString({ endpoint, event_type: type })}`}>{type}</a>}</dd></div>
      <div><dt>Entity</dt><dd class="mono wire">{message.entity_id ?? "–"}</dd></div>
      <div><dt>Endpoint</dt><dd>{endpoint} <span class="muted">{message.provider === endpoint ? "" : message.provider}</span></dd></div>
      <div><dt>First seen</dt><dd><Moment at={message.first_seen} /></dd></div>
      <div><dt>Last seen</dt><dd><Moment at={message.last_seen} /></dd></div>
    </dl>
  );
}
