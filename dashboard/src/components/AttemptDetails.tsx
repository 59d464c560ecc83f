import type { JSX } from "preact";
import { formatBytes } from "../format.ts";
import { pretty } from "../pretty.ts";
import { isRequest } from "../timeline.ts";
import type { Attempt } from "../types.ts";

/** What is seldom needed: the application's own values, bodies, headers, ids. */
export function AttemptDetails({ attempt }: { attempt: Attempt }): JSX.Element {
  const headers = Object.entries(attempt.request.headers ?? {});
  const { metadata = {}, bodies } = attempt;
  return (
    <div class="attempt-details">
      {Object.keys(metadata).length > 0 && <Text title="Metadata" text={JSON.stringify(metadata, null, 2)} />}
      {bodies?.request !== undefined && <Body title="Request body" body={bodies.request} />}
      {bodies?.response !== undefined && <Body title="Response body" body={bodies.response} />}
      <details>
        <summary>{isRequest(attempt) ? "Request headers and ids" : "Ids"}</summary>
        {headers.length > 0 && <Pairs label="Request headers" pairs={headers} />}
        {isRequest(attempt) && headers.length === 0 && <p class="muted">No header was recorded.</p>}
        <p class="muted">Attempt <code>{attempt.id}</code></p>
        {attempt.continues !== undefined && <p class="muted">Continues <code>{attempt.continues}</code></p>}
      </details>
    </div>
  );
}

/** A captured body with its size as it was captured. */
function Body({ title, body }: { title: string; body: string }): JSX.Element {
  return <Text title={title} text={pretty(body)} note={formatBytes(new TextEncoder().encode(body).length)} />;
}

/** Text of any length, as text, closed until it is wanted. */
function Text({ title, text, note = "" }: { title: string; text: string; note?: string }): JSX.Element {
  return (
    <details>
      <summary>{title} <span class="muted">{note}</span></summary>
      <pre tabIndex={0} role="region" aria-label={title}><code class="wire">{text === "" ? "(empty)" : text}</code></pre>
    </details>
  );
}

function Pairs({ label, pairs }: { label: string; pairs: [string, string][] }): JSX.Element {
  return (
    <table class="pairs">
      <caption>{label}</caption>
      <thead class="visually-hidden"><tr><th scope="col">Header</th><th scope="col">Value</th></tr></thead>
      <tbody>
        {pairs.map(([name, value]) => (
          <tr key={name}><th scope="row">{name}</th><td>{value}</td></tr>
        ))}
      </tbody>
    </table>
  );
}
