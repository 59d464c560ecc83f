/** What the whole page shares: the API, the live stream, the time, whether a sign-in is wanted. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Api, ApiError } from "./api.ts";
import { LiveStream, type LiveListener, type LiveState } from "./live.ts";

export const signedOut = signal(false);
/** Why the last sign-in failed. */
export const signInProblem = signal<string | null>(null);
export const liveState = signal<LiveState>("connecting");
/** The time in milliseconds, for relative times; moves once a second while the page is seen. */
export const now = signal(Date.now());

export const api = new Api();

export const live = new LiveStream(() => new EventSource("/api/live"), (state) => { liveState.value = state; });

api.onLoginRequired = () => {
  signedOut.value = true;
  live.stop();
};

/** Starts the stream and the clock, and rests both while the page is hidden. */
export function startSharedState(): void {
  let clock: ReturnType<typeof setInterval> | undefined;
  const follow = (): void => {
    clearInterval(clock);
    if (document.hidden) {
      live.stop();
      return;
    }
    now.value = Date.now();
    clock = setInterval(() => { now.value = Date.now(); }, 1_000);
    if (!signedOut.value) live.start();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

/** Signs in, then shows everything afresh. */
export async function signIn(token: string): Promise<void> {
  await api.signIn(token);
  signInProblem.value = null;
  signedOut.value = false;
  live.start();
}

/** Uses the token of a link such as `/#token=…`, and takes it out of the address before anything else. */
export async function signInByLink(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await signIn(token);
  } catch (cause) {
    // Where the collector asks for no token, the link works all the same.
    signInProblem.value = cause instanceof ApiError ? cause.message : String(cause);
  }
}

/** Listens to the live stream while the component is shown. */
export function useLive(listener: LiveListener): void {
  const current = useRef(listener);
  current.current = listener;
  useEffect(() => live.listen({
    attempts: (attempts) => current.current.attempts?.(attempts),
    gap: () => current.current.gap?.(),
  }), []);
}
