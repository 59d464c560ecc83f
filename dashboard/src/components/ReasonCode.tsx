import type { JSX } from "preact";
import { reasonPage } from "../vocabulary.ts";

/** A reason code, and the way to the page that explains it. */
export function ReasonCode({ code }: { code: string }): JSX.Element {
  const page = reasonPage(code);
  if (page === null) return <code class="reason">{code}</code>;
  return <a class="reason" href={page} target="_blank" rel="noreferrer" title="What this means and how to mend it">{code}</a>;
}
