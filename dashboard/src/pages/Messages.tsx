import type { JSX } from "preact";
import { queryString } from "../api.ts";
import { currentFilter, MessageFilters } from "../components/MessageFilters.tsx";
import { MessageList } from "../components/MessageList.tsx";
import { PageHeading } from "../components/PageHeading.tsx";
import { endpointsOf, eventTypesOf } from "../merge.ts";
import { useResource } from "../resource.ts";
import { api } from "../state.ts";

const PAGE = 50;

/** Every message, newest first, by event type, outcome, endpoint and id. */
export function MessagesPage(): JSX.Element {
  const filter = currentFilter();
  // The choices offered are what the last week knew.
  const known = useResource("7d", (signal) => api.overview("7d", signal)).data?.rows ?? [];
  return (
    <>
      <div class="page-head">
        <div>
          <PageHeading title="Messages">Messages</PageHeading>
          <p class="muted">Newest first</p>
        </div>
      </div>
      <section class="panel" aria-label="Messages">
        <MessageFilters filter={filter} endpoints={endpointsOf(known)} eventTypes={eventTypesOf(known)} />
        <MessageList key={queryString({ ...filter })} filter={filter} limit={PAGE} paged />
      </section>
    </>
  );
}
