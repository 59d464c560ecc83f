import { checkOptions } from './checks'
import type { DropReason } from './codes'
import { translated } from './errors'
import { log, logNotices, setLogger, type Logger } from './logger'
import { native } from './native'

/** At most this long does the end of the process wait for what is still to be sent. */
const EXIT_FLUSH_MS = 2000

/** What {@link init} takes; every member may be left out. */
export interface InitOptions {
  /** The collector's API key (`shk_…`); the environment variable `SUREHOOK_API_KEY` otherwise. */
  apiKey?: string | undefined
  /** The collector's address; `SUREHOOK_ENDPOINT` otherwise, then `http://127.0.0.1:4600`. */
  endpoint?: string | undefined
  /** Takes the place of `console`. */
  logger?: Logger | undefined
}

/** What became of the attempts of this process: recorded = stored + dropped + queued. */
export interface Stats {
  readonly recorded: number
  readonly stored: number
  readonly queued: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
}

let flushing: Promise<boolean> | undefined
let exitFlush = false

/**
 * Starts telemetry for this process. Calling it again with other options replaces them; with the same ones it does
 * nothing, so every route module may call it.
 *
 * @throws SurehookError `invalid_option` when the address is not an http(s) URL
 *
 * ```ts
 * init({ apiKey: process.env.SUREHOOK_API_KEY })
 * ```
 */
export function init(options: InitOptions = {}): void {
  checkOptions(options, { apiKey: 'string', endpoint: 'string' })
  if (options.logger !== undefined) setLogger(options.logger)
  const { apiKey, endpoint } = options
  const settings = {
    ...(apiKey !== undefined && { apiKey }),
    ...(endpoint !== undefined && { endpoint }),
    runtime: `node ${process.versions.node}`,
  }
  translated(() => { native().init(settings); })
  flushAtExit()
  logNotices()
}

/** Sends what is queued, and waits for that up to `timeoutMs`. True: nothing is left. */
export function flush(timeoutMs = EXIT_FLUSH_MS): Promise<boolean> {
  flushing ??= native().flush(timeoutMs).finally(() => {
    flushing = undefined
    logNotices()
  })
  return flushing
}

/** Sends what is queued within `timeoutMs`, counts the rest as dropped, and ends telemetry. True: nothing was left. */
export async function shutdown(timeoutMs = EXIT_FLUSH_MS): Promise<boolean> {
  const nothingLeft = await native().shutdown(timeoutMs)
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
      native().flushSync(EXIT_FLUSH_MS)
      logNotices()
    } catch (error) {
      log('error', `the last events could not be sent: ${String(error)}`)
    }
  })
}
