import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, stop } from "./processes.mjs";
import { untilPrinted } from "./wait.mjs";

export const SUREHOOK = fileURLToPath(new URL("../../../target/debug/surehook", import.meta.url));

/** `surehook dev` or `surehook serve` on a free port with an empty data directory. */
export async function startCollector({ command = "dev" } = {}) {
  if (!existsSync(SUREHOOK)) throw new Error("target/debug/surehook is missing: run `cargo build` first");
  const room = mkdtempSync(join(tmpdir(), "surehook-e2e-"));
  const collector = new Collector(command, room);
  try {
    await collector.start(0);
  } catch (error) {
    await collector.close();
    throw error;
  }
  return collector;
}

class Collector {
  #command;
  #room;
  #child;

  constructor(command, room) {
    this.#command = command;
    this.#room = room;
  }

  async start(port) {
    this.#child = start(SUREHOOK, [this.#command, "--port", String(port), "--data-dir", this.#room]);
    const last = this.#command === "dev" ? /^SUREHOOK_ENDPOINT=(\S+)$/m : /^Dashboard: +(\S+)$/m;
    const { text } = await untilPrinted(this.#child, last, "the collector");
    this.key = /^SUREHOOK_API_KEY=(\S+)$/m.exec(text)?.[1];
    this.dashboard = /^Dashboard: +(\S+)$/m.exec(text)?.[1];
    this.url = new URL(this.dashboard).origin;
    this.printed = text;
  }

  /** Ends the process and keeps its data. */
  async stop() {
    await stop(this.#child);
  }

  /** Starts again on the same port, with the same data. */
  async restart() {
    await this.start(Number(new URL(this.url).port));
  }

  async close() {
    if (this.#child) await stop(this.#child);
    rmSync(this.#room, { recursive: true, force: true });
  }

  async api(path) {
    const answer = await fetch(new URL(path, this.url));
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Posts attempts as an SDK does, for what no real application would send. */
  async post(attempts) {
    const answer = await fetch(new URL("/v1/batches", this.url), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.key}` },
      body: JSON.stringify({
        schema: 1,
        sdk: { name: "surehook", version: "0.1.0", language: "node" },
        instance: { id: crypto.randomUUID(), pid: process.pid },
        sent_at: Date.now() * 1000,
        attempts,
      }),
    });
    const result = await answer.json();
    if (answer.status !== 202 || result.accepted !== attempts.length) {
      throw new Error(`the batch was answered ${answer.status}: ${JSON.stringify(result)}`);
    }
  }
}

/** An attempt as on the wire: processed, of now, unless told otherwise. */
export function attempt(changes = {}) {
  return {
    id: crypto.randomUUID(),
    endpoint: "clerk",
    provider: "clerk",
    message_id: `msg_${crypto.randomUUID()}`,
    event_type: "user.created",
    received_at: Date.now() * 1000,
    duration_us: 1_000,
    status: 200,
    outcome: "processed",
    verification: { result: "verified" },
    dedup: { result: "new", store: "memory" },
    request: { method: "POST", path: "/api/webhooks/clerk", size: 2 },
    ...changes,
  };
}
