import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { CodeBlock } from "../components/CodeBlock.tsx";
import { FrameworkTabs, tabId } from "../components/FrameworkTabs.tsx";
import { Icon } from "../components/Icon.tsx";
import { Keys } from "../components/Keys.tsx";
import { Failure, Loading, StaleBanner } from "../components/Notice.tsx";
import { PageHeading } from "../components/PageHeading.tsx";
import { Moment } from "../components/Time.tsx";
import { plural } from "../format.ts";
import { route, setQuery } from "../router.ts";
import { useResource } from "../resource.ts";
import { environment, FRAMEWORKS, GUIDES, testCommand, type Framework } from "../snippets.ts";
import { api, useLive } from "../state.ts";
import type { NewKey, SetupState } from "../types.ts";

const PANEL = "framework-panel";

/** From nothing to the first event, in four steps. */
export function SetupPage(): JSX.Element {
  const setup = useResource("setup", (signal) => api.setup(signal));
  useLive({ attempts: setup.refresh, gap: setup.refresh });
  return (
    <>
      <div class="page-head">
        <div>
          <PageHeading title="Setup">Setup</PageHeading>
          <p class="muted">From an existing handler to the first event on the dashboard</p>
        </div>
      </div>
      {setup.data && setup.error && <StaleBanner error={setup.error} retry={setup.refresh} />}
      {setup.data && <Content setup={setup.data} refresh={setup.refresh} />}
      {!setup.data && setup.error && <Failure error={setup.error} retry={setup.refresh} />}
      {!setup.data && !setup.error && <Loading what="the setup" />}
    </>
  );
}

function currentFramework(): Framework {
  const asked = route.value.query.get("framework");
  return FRAMEWORKS.find((framework) => framework === asked) ?? "fastapi";
}

function Content({ setup, refresh }: { setup: SetupState; refresh: () => void }): JSX.Element {
  const [created, setCreated] = useState<NewKey | null>(null);
  const framework = currentFramework();
  const guide = GUIDES[framework];
  const key = created?.key ?? setup.dev_key ?? "shk_…";
  return (
    <>
      <Arrival setup={setup} />
      <ol class="setup">
        <Step title="Take a key" note="It lets an application send its attempts here, and nothing else.">
          <Keys setup={setup} created={created} onCreated={(made) => { setCreated(made); refresh(); }} onRevoked={refresh} />
        </Step>
        <Step
          title="Install and configure"
          note="The signing secret stands in Clerk's dashboard, under Webhooks, on the page of your endpoint. It stays in your application: this collector never sees it."
        >
          <FrameworkTabs current={framework} onChoose={(next) => { setQuery({ framework: next }); }} panel={PANEL} />
          <CodeBlock title="Install" code={guide.install} />
          <CodeBlock title="Environment" code={environment(setup.endpoint_url, key)} />
        </Step>
        <Step title="Wrap the handler" note={`One wrapper around the ${guide.label} route. Only verified requests reach it, each message once.`}>
          <div id={PANEL} role="tabpanel" aria-labelledby={tabId(framework)}>
            {guide.files.map((file) => <CodeBlock key={file.name} title={file.name} code={file.code} />)}
          </div>
        </Step>
        <Step
          title="Send a test event"
          note={<>A realistic event, signed with the same secret. Add <code>--duplicate</code>, <code>--bad-signature</code> or <code>--stale</code> to see what becomes of those.</>}
        >
          <CodeBlock title="In a terminal with the same environment" code={testCommand(framework)} />
        </Step>
      </ol>
    </>
  );
}

interface StepProps {
  title: string;
  note: ComponentChildren;
  children: ComponentChildren;
}

function Step({ title, note, children }: StepProps): JSX.Element {
  return (
    <li class="panel step">
      <div class="step-head">
        <h2>{title}</h2>
        <p class="muted">{note}</p>
      </div>
      <div class="step-body">{children}</div>
    </li>
  );
}

/** Turns green by itself. */
function Arrival({ setup }: { setup: SetupState }): JSX.Element {
  const arrived = setup.first_event_at !== null;
  return (
    <div class="banner arrival" data-tone={arrived ? "good" : "quiet"} data-arrived={arrived} role="status">
      {arrived ? <Icon name="processed" /> : <span class="waiting" aria-hidden="true" />}
      {setup.first_event_at === null ? (
        <p><strong>Waiting for the first event.</strong> <span>This turns green by itself.</span></p>
      ) : (
        <p>
          <strong>Events are arriving.</strong> The first came on <Moment at={setup.first_event_at} />;{" "}
          {plural(setup.attempts_stored, "attempt is", "attempts are")} stored. <a href="/">See the overview</a>
        </p>
      )}
    </div>
  );
}
