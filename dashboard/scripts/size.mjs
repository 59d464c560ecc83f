// Prints what the browser loads, and fails over the budget: `node scripts/size.mjs`.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 60 * 1024;
const dist = new URL("../dist/", import.meta.url);

const sizes = readdirSync(dist, { recursive: true })
  .filter((name) => /\.(js|css)$/.test(name))
  .map((name) => ({ name, bytes: gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length }));
const script = sizes.filter(({ name }) => name.endsWith(".js")).reduce((sum, { bytes }) => sum + bytes, 0);

for (const { name, bytes } of sizes) console.log(`${(bytes / 1024).toFixed(1).padStart(6)} KiB gzip  ${name}`);
console.log(`${(script / 1024).toFixed(1).padStart(6)} KiB gzip  JavaScript in all, of ${BUDGET_BYTES / 1024} KiB allowed`);
if (script > BUDGET_BYTES) {
  console.error("The dashboard's JavaScript is over its budget.");
  process.exit(1);
}
