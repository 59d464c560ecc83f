import type { JSX } from "preact";
import { route, withQuery } from "../router.ts";
import { WINDOWS, type Window } from "../types.ts";

const NAMES: Record<Window, string> = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
};

export const DEFAULT_WINDOW: Window = "1h";

/** The window that the address asks for. */
export function currentWindow(): Window {
  const asked = route.value.query.get("window");
  return WINDOWS.find((window) => window === asked) ?? DEFAULT_WINDOW;
}

export function windowName(window: Window): string {
  return NAMES[window];
}

/** Links, so that a window can be opened in a new tab, shared and gone back to. */
export function WindowPicker(): JSX.Element {
  const current = currentWindow();
  const { path, query } = route.value;
  return (
    <nav class="segments" aria-label="Window">
      {WINDOWS.map((window) => (
        <a
          key={window}
          href={`${path}${withQuery(query, { window: window === DEFAULT_WINDOW ? "" : window })}`}
          aria-label={NAMES[window]}
          aria-current={window === current ? "true" : undefined}
        >
          {window}
        </a>
      ))}
    </nav>
  );
}
