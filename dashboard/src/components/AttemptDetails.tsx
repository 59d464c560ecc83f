import type { JSX } from "preact";
import type { Attempt } from "../types.ts";

/** What is seldom needed: headers, the application's own values, ids. */
export function AttemptDetails({ attempt }: { attempt: Attempt }): JSX.Element {
  const headers = Object.entries(attempt.request.headers ?? {});
  const metadata = attempt.metadata ?? {};
  return (
    <details class="attempt-details">
      <summary>Request headers and ids</summary>
      {headers.length === 0 ? <p class="muted">No header was recorded.</p> : <Pairs label="Request headers" pairs={headers} />}
      {Object.keys(metadata).length > 0 && (
        <>
          <h4>Metadata</h4>
          <pre tabIndex={0} role="region" aria-label="Metadata"><code>{JSON.stringify(metadata, null, 2)}</code></pre>
        </>
      )}
      <p class="muted">Attempt <code>{attempt.id}</code></p>
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
