import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { moves } from "../router.ts";

interface PageHeadingProps {
  /** For the window's title. */
  title: string;
  children: ComponentChildren;
}

/** The page's `h1`. After a move to the page it takes the focus, as a freshly loaded page would. */
export function PageHeading({ title, children }: PageHeadingProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moves.peek() > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => { document.title = `${title} · Surehook`; }, [title]);
  return <h1 tabIndex={-1} ref={heading}>{children}</h1>;
}
