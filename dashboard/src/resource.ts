/** Something fetched from the collector, kept while it is fetched again. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import { Refresher } from "./refresher.ts";

export interface Resource<T> {
  /** The newest answer for this key; kept when a later fetch fails. */
  data: T | undefined;
  error: ApiError | undefined;
  /** The data answers an older key: the new answer is under way. */
  stale: boolean;
  /** Fetches again, soon; many calls become one. */
  refresh: () => void;
}

interface Held<T> {
  key: string;
  data: T | undefined;
  error: ApiError | undefined;
}

const GAP_MS = 400;

/**
 * Fetches when `key` changes and on `refresh()`. With `keep`, the answer for the key before stays, marked as stale,
 * until the new one is there; otherwise it goes at once.
 */
export function useResource<T>(key: string, fetch: (signal: AbortSignal) => Promise<T>, keep = false): Resource<T> {
  const [held, setHeld] = useState<Held<T>>({ key, data: undefined, error: undefined });
  const fetcher = useRef(fetch);
  fetcher.current = fetch;
  const refresher = useRef<Refresher | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    const current = new Refresher(async () => {
      try {
        const data = await fetcher.current(abort.signal);
        if (!abort.signal.aborted) setHeld({ key, data, error: undefined });
      } catch (cause) {
        if (abort.signal.aborted) return;
        const error = cause instanceof ApiError ? cause : new ApiError(0, "page_error", String(cause));
        setHeld((before) => ({ key, data: before.key === key ? before.data : undefined, error }));
      }
    }, GAP_MS);
    refresher.current = current;
    current.request();
    return () => {
      abort.abort();
      current.close();
    };
  }, [key]);

  const fresh = held.key === key;
  return {
    data: fresh || keep ? held.data : undefined,
    error: fresh ? held.error : undefined,
    stale: !fresh && held.data !== undefined,
    refresh: () => refresher.current?.request(),
  };
}
