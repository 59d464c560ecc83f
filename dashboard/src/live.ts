/**
 * The live stream: one EventSource on `/api/live` for the whole page, that comes back by itself.
 *
 * A hidden page holds no stream (browsers allow six connections to a host), and says `gap` when it is seen again.
 */
import type { LiveAttempt } from "./types.ts";

export type LiveState = "connecting" | "live" | "offline";

export interface LiveListener {
  /** Attempts that were just stored. */
  attempts?: (attempts: LiveAttempt[]) => void;
  /** Some may have been missed: what is shown should be fetched again. */
  gap?: () => void;
}

/** The part of EventSource that is used here, so that a test can stand in for it. */
export interface Source {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

const CLOSED = 2;
const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 15_000;

export class LiveStream {
  private source: Source | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private delay = FIRST_DELAY_MS;
  // True at first: what came between the first fetch and the first connection is missed too.
  private missed = true;
  private readonly listeners = new Set<LiveListener>();

  constructor(
    private readonly open: () => Source,
    private readonly onState: (state: LiveState) => void,
  ) {}

  /** Connects at once, unless a connection is there. */
  start(): void {
    if (this.source) return;
    clearTimeout(this.timer);
    const source = this.open();
    this.source = source;
    source.addEventListener("open", () => { this.opened(); });
    source.addEventListener("error", () => { this.failed(source); });
    source.addEventListener("attempts", (event) => { this.arrived(event.data); });
    source.addEventListener("lag", () => { this.tell((listener) => listener.gap?.()); });
  }

  /** Disconnects until the next `start`. What happens meanwhile counts as missed. */
  stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.missed = true;
    this.onState("connecting");
  }

  /** Adds a listener; the result removes it. */
  listen(listener: LiveListener): () => void {
    this.listeners.add(listener);
    return () => { this.listeners.delete(listener); };
  }

  private opened(): void {
    this.delay = FIRST_DELAY_MS;
    this.onState("live");
    if (this.missed) this.tell((listener) => listener.gap?.());
    this.missed = false;
  }

  private failed(source: Source): void {
    if (source !== this.source) return;
    this.missed = true;
    this.onState("offline");
    // An EventSource retries a broken connection by itself, but never a refused one.
    if (source.readyState !== CLOSED) return;
    source.close();
    this.source = null;
    this.timer = setTimeout(() => { this.start(); }, this.delay);
    this.delay = Math.min(this.delay * 2, LAST_DELAY_MS);
  }

  private arrived(data: string): void {
    const attempts = parseAttempts(data);
    if (attempts === null) this.tell((listener) => listener.gap?.());
    else if (attempts.length > 0) this.tell((listener) => listener.attempts?.(attempts));
  }

  private tell(call: (listener: LiveListener) => void): void {
    for (const listener of [...this.listeners]) call(listener);
  }
}

/** The attempts of one event; null when the text is not what was agreed. */
export function parseAttempts(data: string): LiveAttempt[] | null {
  try {
    const { attempts } = JSON.parse(data) as { attempts?: unknown };
    return Array.isArray(attempts) ? (attempts as LiveAttempt[]) : null;
  } catch {
    return null;
  }
}
