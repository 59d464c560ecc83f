import { spawn } from "node:child_process";
import { once } from "node:events";

/** Starts a program. What it writes to its standard error is kept in `complaints`, for the message of a failure. */
export function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.complaints = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (chunk) => { child.complaints += chunk; });
  return child;
}

/** Ends a process that was started here, and waits until it has ended. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Runs a program to its end. */
export async function run(program, args, env = {}) {
  const child = start(program, args, env);
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  const [status] = await once(child, "close");
  return { status, stdout: Buffer.concat(chunks).toString("utf8"), stderr: child.complaints };
}
