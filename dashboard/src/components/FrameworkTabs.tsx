import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { FRAMEWORKS, GUIDES, type Framework } from "../snippets.ts";

interface FrameworkTabsProps {
  current: Framework;
  onChoose: (framework: Framework) => void;
  /** The id of the panel that the tabs change. */
  panel: string;
}

/** Tabs as keyboards expect them: one stop, arrows between them. */
export function FrameworkTabs({ current, onChoose, panel }: FrameworkTabsProps): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const choose = (index: number): void => {
    const framework = FRAMEWORKS[(index + FRAMEWORKS.length) % FRAMEWORKS.length];
    if (!framework) return;
    onChoose(framework);
    list.current?.querySelector<HTMLElement>(`#${tabId(framework)}`)?.focus();
  };
  const pressed = (event: KeyboardEvent, index: number): void => {
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: FRAMEWORKS.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
  };
  return (
    <div class="segments tabs" role="tablist" aria-label="Framework" ref={list}>
      {FRAMEWORKS.map((framework, index) => (
        <button
          key={framework}
          type="button"
          role="tab"
          id={tabId(framework)}
          aria-selected={framework === current}
          aria-controls={panel}
          tabIndex={framework === current ? 0 : -1}
          onClick={() => { choose(index); }}
          onKeyDown={(event) => { pressed(event, index); }}
        >
          {GUIDES[framework].label}
        </button>
      ))}
    </div>
  );
}

export function tabId(framework: Framework): string {
  return `tab-${framework}`;
}
