import type { JSX } from "preact";
import { THEMES, setTheme, theme, type Theme } from "../theme.ts";
import { Icon, type IconName } from "./Icon.tsx";

const SHOWN: Record<Theme, { icon: IconName; label: string }> = {
  auto: { icon: "auto", label: "as the system" },
  light: { icon: "sun", label: "light" },
  dark: { icon: "moon", label: "dark" },
};

/** Goes round: as the system, light, dark. */
export function ThemeToggle(): JSX.Element {
  const { icon, label } = SHOWN[theme.value];
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  return (
    <button
      type="button"
      class="button quiet icon-only"
      onClick={() => { setTheme(next); }}
      aria-label={`Theme: ${label}. Change to ${SHOWN[next].label}`}
      title={`Theme: ${label}`}
    >
      <Icon name={icon} />
    </button>
  );
}
