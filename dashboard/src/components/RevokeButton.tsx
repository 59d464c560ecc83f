import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { api } from "../state.ts";
import type { ApiKey } from "../types.ts";

/** Ends a key's life; asks once more first, for there is no way back. */
export function RevokeButton({ apiKey, onRevoked }: { apiKey: ApiKey; onRevoked: () => void }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const revoke = async (): Promise<void> => {
    if (!asking) {
      setAsking(true);
      return;
    }
    try {
      await api.revokeKey(apiKey.id);
      onRevoked();
    } catch (cause) {
      setProblem(cause instanceof ApiError ? cause.message : String(cause));
    }
  };
  return (
    <>
      {problem !== null && <span class="problem" role="alert">{problem}</span>}
      <button
        type="button" class="button quiet copy"
        onClick={() => { void revoke(); }} onBlur={() => { setAsking(false); }}
        aria-label={asking ? `Really revoke ${apiKey.name}` : `Revoke ${apiKey.name}`}
      >
        {asking ? "Really revoke?" : "Revoke"}
      </button>
    </>
  );
}
