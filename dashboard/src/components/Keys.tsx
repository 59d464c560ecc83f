import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { api } from "../state.ts";
import type { ApiKey, NewKey, SetupState } from "../types.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import { RevokeButton } from "./RevokeButton.tsx";
import { Ago } from "./Time.tsx";

interface KeysProps {
  setup: SetupState;
  created: NewKey | null;
  onCreated: (key: NewKey) => void;
  onRevoked: () => void;
}

/** The key of `surehook dev`, or the list of keys and a way to make one. */
export function Keys({ setup, created, onCreated, onRevoked }: KeysProps): JSX.Element {
  if (setup.dev_key !== null) {
    return (
      <>
        <p>The key of this <code>surehook dev</code>:</p>
        <CodeBlock title="API key" code={setup.dev_key} />
      </>
    );
  }
  return (
    <>
      {setup.keys.length > 0 ? <KeyTable keys={setup.keys} onRevoked={onRevoked} /> : <p>There is no key yet.</p>}
      <NewKeyForm onCreated={onCreated} />
      {created && (
        <div class="banner" data-tone="good" role="status">
          <div class="grow">
            <p>The key of <strong class="wire">{created.name}</strong>. It is shown this once: the collector keeps only its hash.</p>
            <CodeBlock title="New API key" code={created.key} />
          </div>
        </div>
      )}
    </>
  );
}

function KeyTable({ keys, onRevoked }: { keys: readonly ApiKey[]; onRevoked: () => void }): JSX.Element {
  return (
    <div class="table-scroll" role="region" aria-label="API keys" tabIndex={0}>
      <table>
        <thead>
          <tr><th scope="col">Name</th><th scope="col">Begins with</th><th scope="col" class="num">Created</th><th scope="col" class="num">Last used</th><th scope="col"><span class="visually-hidden">Revoke</span></th></tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <th scope="row" class="wire">{key.name}</th>
              <td class="mono">{key.prefix}…</td>
              <td class="num nowrap"><Ago at={key.created_at} /></td>
              <td class="num nowrap">{key.last_used_at === null ? "never" : <Ago at={key.last_used_at} />}</td>
              <td class="num"><RevokeButton apiKey={key} onRevoked={onRevoked} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewKeyForm({ onCreated }: { onCreated: (key: NewKey) => void }): JSX.Element {
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const create = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      onCreated(await api.createKey(name.trim()));
      setName("");
    } catch (cause) {
      setProblem(cause instanceof ApiError ? cause.message : String(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="inline-form" onSubmit={(event) => { event.preventDefault(); void create(); }}>
      <label class="choice">
        <span>Name of a new key</span>
        <input
          name="key_name" value={name} required maxLength={100} placeholder="production" autoComplete="off"
          onInput={(event) => { setName(event.currentTarget.value); }}
        />
      </label>
      <button type="submit" class="button primary" disabled={busy}>Create key</button>
      {problem !== null && <p class="problem" role="alert">{problem}</p>}
    </form>
  );
}
