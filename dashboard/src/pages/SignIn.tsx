import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { PageHeading } from "../components/PageHeading.tsx";
import { signIn, signInProblem } from "../state.ts";

/** Asks for the token that `surehook serve` printed. */
export function SignInPage(): JSX.Element {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    try {
      await signIn(token.trim());
    } catch (cause) {
      signInProblem.value = cause instanceof ApiError ? cause.message : String(cause);
      setBusy(false);
    }
  };
  return (
    <section class="panel sign-in">
      <PageHeading title="Sign in">Sign in</PageHeading>
      <p>Paste the dashboard token that <code>surehook serve</code> printed when it started.</p>
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <label class="choice">
          <span>Token</span>
          <input
            type="password" name="token" value={token} required autoComplete="current-password" autoFocus
            aria-invalid={signInProblem.value !== null} aria-describedby="sign-in-problem"
            onInput={(event) => { setToken(event.currentTarget.value); }}
          />
        </label>
        <p id="sign-in-problem" class="problem" role="alert">{signInProblem.value}</p>
        <button type="submit" class="button primary" disabled={busy}>Sign in</button>
      </form>
    </section>
  );
}
