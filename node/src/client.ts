import { checkOptions, type Rule } from './checks'
import type { DropReason } from './codes'
import { translated } from './errors'
import { log, logNotices, setLogger, type Logger } from './logger'
import { native } from './native'
import { flushWhileJudging, screener, screenWith, type BeforeSend } from './screening'
import { packageName } from './service'

/** At most this long does the end of the process wait for what is still to be sent. */
const EXIT_FLUSH_MS = 2000

export const RUNTIME = `node ${process.versions.node}`

/** What {@link init} takes; every member may be left out. */
export interface InitOptions {
  /** The collector's API key (`shk_…`); the environment variable `SUREHOOK_API_KEY` otherwise. */
  apiKey?: string | undefined
  /** The collector's address; `SUREHOOK_ENDPOINT` otherwise, then `http://127.0.0.1:4600`. */
  endpoint?: string | undefined
  /** A PEM file of authorities to trust beside those of the system, for a collector with a private one. */
  caFile?: string | undefined
  /**
   * A directory that keeps attempts until the collector has them, so that they outlive this process. Several processes may share
   * it; it is made when it is missing, and only its owner can read its files. Off by default.
   */
  spoolDir?: string | undefined
  /** The most attempts that a process keeps there, 10,000 by default. Beyond it the oldest are dropped. */
  spoolMaxAttempts?: number | undefined
  /** The most bytes that a process keeps there, 50 MiB by default. */
  spoolMaxBytes?: number | undefined
  /** Sees each attempt before it is sent, and may change it or keep it back. */
  beforeSend?: BeforeSend | undefined
  /**
   * What the application is called, so that the dashboard tells it from others, and so does a dedup store that it shares with
   * them. `SUREHOOK_SERVICE` otherwise, then `OTEL_SERVICE_NAME`, then the name of the package or the platform's.
   */
  service?: string | undefined
  /** Takes the place of `console`. */
  logger?: Logger | undefined
}

/**
 * What became of the attempts of this process: recorded = stored + summarised + dropped + queued. Summarised are refused requests
 * that the collector has as a number.
 */
export interface Stats {
  readonly recorded: number
  readonly stored: number
  readonly summarised: number
  readonly queued: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
}

const RULES: Readonly<Record<string, Rule>> = {
  apiKey: 'string',
  endpoint: 'string',
  caFile: 'string',
  spoolDir: 'string',
  spoolMaxAttempts: 'number',
  spoolMaxBytes: 'number',
  beforeSend: 'function',
  service: 'string',
}

interface SharedFlush {
  readonly until: number
  readonly nothingLeft: Promise<boolean>
}

let flushing: SharedFlush | undefined
let exitFlush = false
/** The settings of the last {@link init} here. */
let latest: string | undefined

/**
 * Starts telemetry for this process. Calling it again with other options replaces them; with the same ones it does
 * nothing, so every route module may call it.
 *
 * @throws SurehookError `invalid_option` when the address is not an http(s) URL, or the spool or the authorities cannot be used
 *
 * ```ts
 * init({ apiKey: process.env.SUREHOOK_API_KEY })
 * ```
 */
export function init(options: InitOptions = {}): void {
  checkOptions(options, RULES)
  const { logger, beforeSend, ...rest } = options
  if (logger !== undefined) setLogger(logger)
  const given = Object.fromEntries(Object.entries(rest).filter(([name, value]) => name in RULES && value !== undefined))
  const found = packageName()
  const settings = { ...given, beforeSend: beforeSend !== undefined, runtime: RUNTIME, ...(found !== undefined && { package: found }) }
  const written = JSON.stringify(settings)
  const earlier = screener()
  // What was recorded before is still judged by the function of before.
  if (earlier && written !== latest) flushWhileJudging(EXIT_FLUSH_MS)
  if (beforeSend) screenWith(beforeSend)
  try {
    translated(() => { native().init(settings); })
  } catch (error) {
    screenWith(earlier)
    throw error
  }
  // What others wait for may be the queue of before.
  if (written !== latest) flushing = undefined
  latest = written
  screenWith(beforeSend)
  flushAtExit()
  logNotices()
}

/** Sends what is queued, and waits for that up to `timeoutMs`. True: nothing is left. */
export async function flush(timeoutMs = EXIT_FLUSH_MS): Promise<boolean> {
  const until = performance.now() + wholeMilliseconds(timeoutMs)
  for (;;) {
    const shared = (flushing ??= beginFlush(until))
    const nothingLeft = await within(until - performance.now(), shared.nothingLeft)
    if (nothingLeft || shared.until >= until) return nothingLeft
  }
}

/** One wait for all who ask meanwhile: each takes a thread of Node's small pool. */
function beginFlush(until: number): SharedFlush {
  const flushed = native().flush(wholeMilliseconds(until - performance.now()))
  const nothingLeft = flushed.finally(() => {
    if (flushing === shared) flushing = undefined
    logNotices()
  })
  const shared = { until, nothingLeft }
  return shared
}

/** What was recorded leaves within the time that an end may take; it never fails. */
export async function flushQuietly(): Promise<void> {
  await flush(EXIT_FLUSH_MS).catch(() => undefined)
}

/** What a promise comes to, or false when it takes longer. */
async function within(timeoutMs: number, flushed: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => { timer = setTimeout(resolve, timeoutMs, false) })
  return Promise.race([flushed, late]).finally(() => { clearTimeout(timer) })
}

/** A number of milliseconds that a timer can wait for. */
function wholeMilliseconds(number: number): number {
  return Math.max(0, Math.min(Math.ceil(number) || 0, 2 ** 31 - 1))
}

/** Sends what is queued within `timeoutMs`, counts the rest as dropped, and ends telemetry. True: nothing was left. */
export async function shutdown(timeoutMs = EXIT_FLUSH_MS): Promise<boolean> {
  const nothingLeft = await native().shutdown(wholeMilliseconds(timeoutMs))
  logNotices()
  return nothingLeft
}

/** What became of the attempts recorded so far. */
export function stats(): Stats {
  return native().stats()
}

/** The last events of a process that ends normally still reach the collector; no signal handler is needed for it. */
function flushAtExit(): void {
  if (exitFlush) return
  exitFlush = true
  process.on('exit', () => {
    try {
      if (screener()) flushWhileJudging(EXIT_FLUSH_MS)
      else native().flushSync(EXIT_FLUSH_MS)
      logNotices()
    } catch (error) {
      log('error', `the last events could not be sent: ${String(error)}`)
    }
  })
}
