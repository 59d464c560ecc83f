import type { JSX } from "preact";
import { Loading, Notice } from "../components/Notice.tsx";
import { Verdict } from "../components/Verdict.tsx";
import { withQuery } from "../router.ts";
import { useResource } from "../resource.ts";
import { api } from "../state.ts";
import type { Overview } from "../types.ts";

/** A window without attempts: the collector is new, or it was quiet. */
export function EmptyOverview({ overview }: { overview: Overview }): JSX.Element {
  const setup = useResource("setup", (signal) => api.setup(signal));
  if (!setup.data && !setup.error) return <Loading what="figures" />;
  if (setup.data?.attempts_stored === 0) {
    return (
      <Notice title="No webhook has arrived yet">
        <p>Wrap your handler and send a test event; this page fills by itself.</p>
        <p><a class="button primary" href="/setup">Set up your application</a></p>
      </Notice>
    );
  }
  return (
    <>
      <Verdict overview={overview} />
      <Notice title="Quiet">
        <p>Earlier attempts are stored. Look at a longer window, or at the messages.</p>
        <p class="actions">
          <a class="button" href={`/${withQuery("", { window: "7d" })}`}>Last 7 days</a>
          <a class="button" href="/messages">Messages</a>
        </p>
      </Notice>
    </>
  );
}
