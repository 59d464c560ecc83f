/**
 * On serverless platforms nothing runs between two requests, so what was recorded must leave before the platform sleeps. Neither
 * helper ever fails or changes an answer, and both are bounded.
 */
import { flush } from './index'

/** At most this long does an invocation, or the platform, wait for telemetry. */
const TIMEOUT_MS = 2000

/** What is left to the platform for its own end of an invocation. */
const RESERVE_MS = 200

/** How long to wait at most. */
export interface FlushOptions {
  /** 2,000 by default. */
  timeoutMs?: number
}

/**
 * Hands the platform a promise to wait for after the answer. To be called when the handler has ended.
 *
 * ```ts
 * const response = await POST(request)
 * flushAfter(waitUntil) // of '@vercel/functions'; elsewhere (promise) => context.waitUntil(promise)
 * return response
 * ```
 */
export function flushAfter(waitUntil: (promise: Promise<unknown>) => unknown, { timeoutMs = TIMEOUT_MS }: FlushOptions = {}): void {
  try {
    waitUntil(quietFlush(timeoutMs))
  } catch {
    // Outside of a request of the platform; the sender's own thread and the flush at exit do it.
  }
}

/**
 * Wraps a handler whose process is frozen as soon as it has answered, such as that of AWS Lambda: what was recorded is sent before,
 * within `timeoutMs` and within what is left of the invocation's time. Its result and its errors stay what they are.
 *
 * ```ts
 * export const handler = withFlush(async (event, context) => ({ statusCode: 200 }))
 * ```
 */
export function withFlush<Args extends unknown[], Result>(
  handler: (...args: Args) => Result | Promise<Result>,
  { timeoutMs = TIMEOUT_MS }: FlushOptions = {},
): (...args: Args) => Promise<Result> {
  return async function surehook(this: unknown, ...args) {
    try {
      return await handler.apply(this, args)
    } finally {
      await quietFlush(Math.min(timeoutMs, timeLeft(args[1])))
    }
  }
}

async function quietFlush(timeoutMs: number): Promise<void> {
  await flush(timeoutMs).catch(() => undefined)
}

/** What Lambda's context says, less the reserve. */
function timeLeft(context: unknown): number {
  try {
    const left = (context as { getRemainingTimeInMillis?: () => unknown } | null | undefined)?.getRemainingTimeInMillis?.()
    return typeof left === 'number' ? Math.max(0, left - RESERVE_MS) : Infinity
  } catch {
    return Infinity
  }
}
