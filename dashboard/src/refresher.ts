/**
 * Runs a fetch again and again without ever piling up: one at a time, at least `gapMs` apart, and whatever
 * is asked for meanwhile becomes one more run.
 */
export class Refresher {
  private asked = 0;
  private running = false;
  private closed = false;
  private lastStart = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly run: () => Promise<void>,
    private readonly gapMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Asks for a run, soon. */
  request(): void {
    this.asked += 1;
    if (!this.running && this.timer === undefined) this.schedule();
  }

  /** No more runs. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.closed) return;
    const wait = Math.max(0, this.lastStart + this.gapMs - this.now());
    this.timer = setTimeout(() => { void this.start(); }, wait);
  }

  private async start(): Promise<void> {
    const answered = this.asked;
    this.timer = undefined;
    this.running = true;
    this.lastStart = this.now();
    try {
      await this.run();
    } finally {
      this.running = false;
      if (this.asked > answered) this.schedule();
    }
  }
}
