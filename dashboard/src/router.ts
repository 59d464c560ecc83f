/** Where the reader is: the address bar is the only state. */
import { signal } from "@preact/signals";

export interface Route {
  path: string;
  query: URLSearchParams;
}

const read = (): Route => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const route = signal<Route>(read());

/** Counts moves to another page, for which the focus goes to its heading. */
export const moves = signal(0);

/** Follows links inside the dashboard without loading the page again. */
export function startRouter(): void {
  addEventListener("popstate", () => { arrive(false); });
  document.addEventListener("click", (event) => {
    const url = linkOf(event);
    if (!url) return;
    event.preventDefault();
    navigate(url.pathname + url.search);
  });
}

/** Goes to a path of the dashboard. */
export function navigate(to: string): void {
  if (to !== location.pathname + location.search) history.pushState(null, "", to);
  arrive(true);
}

/** Changes parameters of the address without a new entry in the history; an empty value removes one. */
export function setQuery(changes: Record<string, string>): void {
  history.replaceState(null, "", location.pathname + withQuery(location.search, changes));
  arrive(false);
}

/** `search` with some parameters changed; an empty value removes one. */
export function withQuery(search: string | URLSearchParams, changes: Record<string, string>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

function arrive(scroll: boolean): void {
  const before = route.value.path;
  route.value = read();
  if (route.value.path === before) return;
  moves.value += 1;
  if (scroll) scrollTo(0, 0);
}

/** The address of a plain click on a link to this dashboard. */
function linkOf(event: MouseEvent): URL | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.href || link.target !== "" || link.hasAttribute("download")) return null;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return null;
  return url.hash !== "" && url.pathname === location.pathname ? null : url;
}
