/** Light, dark, or as the system says. `public/theme.js` applies the remembered choice before the first paint. */
import { signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORED_AS = "surehook.theme";

export const theme = signal<Theme>(remembered());

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "auto") localStorage.removeItem(STORED_AS);
    else localStorage.setItem(STORED_AS, next);
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
}

function remembered(): Theme {
  const shown = document.documentElement.dataset.theme;
  return shown === "light" || shown === "dark" ? shown : "auto";
}
