import { existsSync, mkdirSync, symlinkSync, lstatSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SUREHOOK } from "./collector.mjs";
import { run, start, stop } from "./processes.mjs";
import { untilPrinted } from "./wait.mjs";

const ROOM = fileURLToPath(new URL("../", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../../node", import.meta.url));
const SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/** The Express application in `app/`, with the built `surehook` package, sending to the collector. */
export async function startApplication(collector) {
  linkPackage();
  const child = start(process.execPath, [`${ROOM}app/server.mjs`], {
    SUREHOOK_API_KEY: collector.key,
    SUREHOOK_ENDPOINT: collector.url,
    CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
  });
  try {
    const { match } = await untilPrinted(child, /listening at (\S+)\n/, "the application");
    return { url: match[1], close: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** `surehook send`: what was sent, one object for each request. */
export async function send(application, args, { secret = SECRET } = {}) {
  const { status, stdout, stderr } = await run(SUREHOOK, ["send", application.url, "--json", ...args], { CLERK_WEBHOOK_SIGNING_SECRET: secret });
  if (stdout === "") throw new Error(`surehook send printed nothing: ${stderr}`);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return { status, requests: lines.filter((line) => "message_id" in line) };
}

/** The package as `npm run build` made it, under the name that users import. */
function linkPackage() {
  if (!existsSync(`${PACKAGE}/dist/express.mjs`)) throw new Error("node/dist is missing: build the npm package first (`make` does)");
  const link = `${ROOM}node_modules/surehook`;
  mkdirSync(`${ROOM}node_modules`, { recursive: true });
  if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(PACKAGE, link, "dir");
}
