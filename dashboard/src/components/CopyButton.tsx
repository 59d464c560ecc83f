import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./Icon.tsx";

const SHOWN_MS = 2_000;

/** Copies `text`; `what` names it for those who do not see where the button stands. */
export function CopyButton({ text, what }: { text: string; what: string }): JSX.Element {
  const [result, setResult] = useState<"idle" | "copied" | "refused">("idle");
  useEffect(() => {
    if (result === "idle") return undefined;
    const timer = setTimeout(() => { setResult("idle"); }, SHOWN_MS);
    return () => { clearTimeout(timer); };
  }, [result]);
  const copy = (): void => {
    copyText(text).then(() => { setResult("copied"); }, () => { setResult("refused"); });
  };
  const word = { idle: "Copy", copied: "Copied", refused: "Not allowed" }[result];
  return (
    <button type="button" class="button quiet copy" onClick={copy} aria-label={`Copy ${what}`}>
      <Icon name={result === "copied" ? "check" : "copy"} />
      <span aria-live="polite">{word}</span>
    </button>
  );
}

/** Browsers have a clipboard only on https and on this very machine. */
async function copyText(text: string): Promise<void> {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (!clipboard) throw new Error("no clipboard");
  await clipboard.writeText(text);
}
