import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

// The check itself runs at the end of every build; here it must refuse.
let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "surehook-size-"));
  cpSync("scripts/size.mjs", join(room, "scripts", "size.mjs"));
  mkdirSync(join(room, "dist", "assets"), { recursive: true });
});
afterEach(() => { rmSync(room, { recursive: true }); });

const check = (): { status: number | null; stderr: string } =>
  spawnSync(process.execPath, [join(room, "scripts", "size.mjs")], { encoding: "utf8" });

it("passes what is under the budget, and prints its size", () => {
  writeFileSync(join(room, "dist", "assets", "a.js"), "export {};");
  expect(check().status).toBe(0);
});

it("refuses scripts that are over the budget together", () => {
  for (const name of ["a.js", "b.js"]) writeFileSync(join(room, "dist", "assets", name), randomBytes(31 * 1024));
  expect(check()).toMatchObject({ status: 1, stderr: expect.stringContaining("over its budget") as string });
});
