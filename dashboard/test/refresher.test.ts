import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Refresher } from "../src/refresher.ts";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const clock = (): number => Date.now();

it("makes one run of many requests at once", async () => {
  const run = vi.fn(() => Promise.resolve());
  const refresher = new Refresher(run, 400, clock);
  for (let i = 0; i < 50; i += 1) refresher.request();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(run).toHaveBeenCalledTimes(1);
});

it("keeps runs apart, and runs once more for what was asked meanwhile", async () => {
  const started: number[] = [];
  const begin = clock();
  const refresher = new Refresher(() => {
    started.push(clock() - begin);
    return Promise.resolve();
  }, 400, clock);
  refresher.request();
  await vi.advanceTimersByTimeAsync(100);
  refresher.request();
  refresher.request();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(started).toEqual([0, 400]);
});

it("never runs twice at a time, and forgets no request made during a slow run", async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const refresher = new Refresher(async () => {
    runs += 1;
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => { setTimeout(resolve, 1_000); });
    running -= 1;
  }, 100, clock);
  refresher.request();
  await vi.advanceTimersByTimeAsync(500);
  refresher.request();
  await vi.advanceTimersByTimeAsync(10_000);
  expect({ most, runs }).toEqual({ most: 1, runs: 2 });
});

it("runs no more once it is closed, not even for an old request", async () => {
  const run = vi.fn(() => Promise.resolve());
  const refresher = new Refresher(run, 400, clock);
  refresher.request();
  refresher.close();
  refresher.request();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(run).not.toHaveBeenCalled();
});
