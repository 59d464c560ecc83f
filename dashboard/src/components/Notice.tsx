import type { ComponentChildren, JSX } from "preact";
import type { ApiError } from "../api.ts";
import { Icon } from "./Icon.tsx";

interface NoticeProps {
  title: string;
  tone?: "quiet" | "bad";
  children?: ComponentChildren;
}

/** A message in place of content: nothing here, not found, went wrong. */
export function Notice({ title, tone = "quiet", children }: NoticeProps): JSX.Element {
  return (
    <section class="notice" data-tone={tone} role={tone === "bad" ? "alert" : undefined}>
      {tone === "bad" && <Icon name="unavailable" />}
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A fetch that failed, with another try. */
export function Failure({ error, retry }: { error: ApiError; retry: () => void }): JSX.Element {
  return (
    <Notice title="This could not be loaded" tone="bad">
      <p>{error.message} <code>{error.code}</code></p>
      <button type="button" class="button" onClick={retry}>Try again</button>
    </Notice>
  );
}

/** Above content that is older than it should be. */
export function StaleBanner({ error, retry }: { error: ApiError; retry: () => void }): JSX.Element {
  return (
    <div class="banner" data-tone="warn" role="status">
      <Icon name="unavailable" />
      <p>These figures are not up to date. {error.message}</p>
      <button type="button" class="button quiet" onClick={retry}>Try again</button>
    </div>
  );
}

/** Before the first answer. */
export function Loading({ what }: { what: string }): JSX.Element {
  return <p class="loading" role="status">Loading {what}…</p>;
}
