import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveStream, parseAttempts, type LiveState, type Source } from "../src/live.ts";

class FakeSource implements Source {
  readyState = 0;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.readyState = 2;
  }

  emit(type: string, data = ""): void {
    this.listeners.get(type)?.({ data } as MessageEvent<string>);
  }

  refuse(): void {
    this.readyState = 2;
    this.emit("error");
  }
}

describe("the live stream", () => {
  let sources: FakeSource[];
  let states: LiveState[];
  let stream: LiveStream;
  const newest = (): FakeSource => {
    const source = sources.at(-1);
    if (!source) throw new Error("no source was opened");
    return source;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    sources = [];
    states = [];
    stream = new LiveStream(() => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    }, (state) => { states.push(state); });
  });
  afterEach(() => { vi.useRealTimers(); });

  it("tells attempts to every listener until it leaves", () => {
    const attempts = vi.fn();
    const leave = stream.listen({ attempts });
    stream.start();
    newest().emit("attempts", '{"attempts":[{"id":"a"}]}');
    leave();
    newest().emit("attempts", '{"attempts":[{"id":"b"}]}');
    expect(attempts.mock.calls).toEqual([[[{ id: "a" }]]]);
  });

  it("opens one connection however often it is started", () => {
    stream.start();
    stream.start();
    expect(sources).toHaveLength(1);
  });

  it("tells a gap at the first connection, for what came after the first fetch", () => {
    const gap = vi.fn();
    stream.listen({ gap });
    stream.start();
    newest().emit("open");
    expect(gap).toHaveBeenCalledTimes(1);
    expect(states).toEqual(["live"]);
  });

  it("is offline while the browser reconnects, and tells a gap when it is back", () => {
    const gap = vi.fn();
    stream.start();
    newest().emit("open");
    stream.listen({ gap });
    newest().emit("error");
    expect(states.at(-1)).toBe("offline");
    newest().emit("open");
    expect(states.at(-1)).toBe("live");
    expect(gap).toHaveBeenCalledTimes(1);
    expect(sources).toHaveLength(1);
  });

  it("opens a refused connection anew, later and later, at most 15 s apart", () => {
    stream.start();
    for (const delay of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const before = sources.length;
      newest().refuse();
      vi.advanceTimersByTime(delay - 1);
      expect(sources).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(sources).toHaveLength(before + 1);
    }
    newest().emit("open");
    newest().refuse();
    const before = sources.length;
    vi.advanceTimersByTime(1_000);
    expect(sources).toHaveLength(before + 1);
  });

  it("stays closed after a stop, and tells a gap after the next start", () => {
    const gap = vi.fn();
    stream.start();
    newest().emit("open");
    newest().refuse();
    stream.stop();
    vi.advanceTimersByTime(60_000);
    expect(sources).toHaveLength(1);
    stream.listen({ gap });
    stream.start();
    newest().emit("open");
    expect(gap).toHaveBeenCalledTimes(1);
  });

  it("takes lag and text it cannot read for a gap", () => {
    const attempts = vi.fn();
    const gap = vi.fn();
    stream.listen({ attempts, gap });
    stream.start();
    newest().emit("lag", "{}");
    newest().emit("attempts", "{");
    newest().emit("attempts", '{"attempts":7}');
    newest().emit("attempts", "null");
    newest().emit("attempts", '{"attempts":[]}');
    expect(gap).toHaveBeenCalledTimes(4);
    expect(attempts).not.toHaveBeenCalled();
  });
});

it("reads the attempts of an event", () => {
  expect(parseAttempts('{"attempts":[]}')).toEqual([]);
  expect(parseAttempts('{"other":[]}')).toBeNull();
});
