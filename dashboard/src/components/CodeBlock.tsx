import type { JSX } from "preact";
import { CopyButton } from "./CopyButton.tsx";

/** Text to paste elsewhere. `title` is a file name or says what to do with it. */
export function CodeBlock({ title, code }: { title: string; code: string }): JSX.Element {
  return (
    <figure class="code">
      <figcaption>
        <span>{title}</span>
        <CopyButton text={code} what={title} />
      </figcaption>
      <pre tabIndex={0} aria-label={title} role="region"><code>{code}</code></pre>
    </figure>
  );
}
