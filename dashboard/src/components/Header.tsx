import type { JSX } from "preact";
import { route } from "../router.ts";
import { signedOut } from "../state.ts";
import { LivePill } from "./LivePill.tsx";
import { ThemeToggle } from "./ThemeToggle.tsx";

const PAGES = [
  { href: "/", label: "Overview" },
  { href: "/messages", label: "Messages" },
  { href: "/setup", label: "Setup" },
];

export function Header(): JSX.Element {
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href="/" aria-label="Surehook: overview">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="8" />
            <path d="M20 6v11.5a5.500 5.500 0 1 1-11 0V16M15.500 9.500 20 5.500l4.500 4" />
          </svg>
          <span>Surehook</span>
        </a>
        {!signedOut.value && <Pages />}
        <div class="top-tools">
          {!signedOut.value && <LivePill />}
          <ThemeToggle />
        </div>
      </div>
    </header>
  );
}

function Pages(): JSX.Element {
  const { path } = route.value;
  return (
    <nav aria-label="Pages">
      <ul>
        {PAGES.map(({ href, label }) => (
          <li key={href}>
            <a href={href} aria-current={path === href ? "page" : href !== "/" && path.startsWith(`${href}/`) ? "true" : undefined}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
