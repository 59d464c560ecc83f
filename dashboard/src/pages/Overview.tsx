import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { ActivityChart } from "../components/ActivityChart.tsx";
import { Cases } from "../components/Cases.tsx";
import { EventTable } from "../components/EventTable.tsx";
import { currentFilter, MessageFilters } from "../components/MessageFilters.tsx";
import { MessageList } from "../components/MessageList.tsx";
import { Failure, Loading, StaleBanner } from "../components/Notice.tsx";
import { PageHeading } from "../components/PageHeading.tsx";
import { RefusedTable } from "../components/RefusedTable.tsx";
import { Totals } from "../components/Totals.tsx";
import { Verdict } from "../components/Verdict.tsx";
import { currentWindow, windowName, WindowPicker } from "../components/WindowPicker.tsx";
import { queryString } from "../api.ts";
import { eventTypesOf, endpointsOf } from "../merge.ts";
import { useResource } from "../resource.ts";
import { api, useLive } from "../state.ts";
import type { Overview } from "../types.ts";
import { EmptyOverview } from "./EmptyOverview.tsx";

const SLIDE_MS = 30_000;
const RECENT = 12;

/** How every event type fares in a window of time. */
export function OverviewPage(): JSX.Element {
  const window = currentWindow();
  const overview = useResource(window, (signal) => api.overview(window, signal), true);
  useLive({ attempts: overview.refresh, gap: overview.refresh });
  // The window moves on even when nothing arrives.
  useEffect(() => {
    const timer = setInterval(overview.refresh, SLIDE_MS);
    return () => { clearInterval(timer); };
  }, []);
  return (
    <>
      <div class="page-head">
        <div>
          <PageHeading title="Overview">Overview</PageHeading>
          <p class="muted">{windowName(window)}</p>
        </div>
        <WindowPicker />
      </div>
      {overview.data && overview.error && <StaleBanner error={overview.error} retry={overview.refresh} />}
      {overview.data && <Cases cases={overview.data.cases} onAcknowledged={overview.refresh} />}
      {overview.data && <Content overview={overview.data} stale={overview.stale} />}
      {!overview.data && overview.error && <Failure error={overview.error} retry={overview.refresh} />}
      {!overview.data && !overview.error && <Loading what="figures" />}
    </>
  );
}

function Content({ overview, stale }: { overview: Overview; stale: boolean }): JSX.Element {
  if (overview.totals.attempts + overview.totals.continued === 0) return <EmptyOverview overview={overview} />;
  return (
    <div class="content" aria-busy={stale}>
      <Verdict overview={overview} />
      <Totals totals={overview.totals} />
      <ActivityChart overview={overview} />
      <section class="panel" aria-labelledby="events-title">
        <div class="panel-head"><h2 id="events-title">Event types</h2></div>
        <EventTable rows={overview.rows} />
      </section>
      <section class="panel" aria-labelledby="refused-title">
        <div class="panel-head">
          <h2 id="refused-title">Refused before the handler</h2>
        </div>
        <RefusedTable rejections={overview.rejections} />
      </section>
      <RecentMessages overview={overview} />
    </div>
  );
}

function RecentMessages({ overview }: { overview: Overview }): JSX.Element {
  const filter = currentFilter();
  const query = queryString({ ...filter });
  return (
    <section class="panel" aria-labelledby="recent-title">
      <div class="panel-head">
        <h2 id="recent-title">Recent messages</h2>
        <a href={query === "" ? "/messages" : `/messages?${query}`}>All messages</a>
      </div>
      <MessageFilters filter={filter} endpoints={endpointsOf(overview.rows)} eventTypes={eventTypesOf(overview.rows)} />
      <MessageList key={query} filter={filter} limit={RECENT} />
    </section>
  );
}
