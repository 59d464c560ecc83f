import { flushQuietly } from './client'

/** Where Vercel keeps what belongs to the request of an invocation, for any package to find. */
const VERCEL = Symbol.for('@vercel/request-context')

type WaitUntil = (promise: Promise<unknown>) => void

/**
 * Where a platform stops what runs for a sender that has left, it is told to wait; the record of what was waited for leaves before
 * that ends. What comes back is to be called then.
 */
export function keepAlive(): (() => void) | undefined {
  try {
    const context = (globalThis as { [VERCEL]?: { get?(): { waitUntil?: WaitUntil } | undefined } })[VERCEL]?.get?.()
    if (typeof context?.waitUntil !== 'function') return undefined
    let over: () => void = () => undefined
    const ended = new Promise<void>((resolve) => { over = resolve })
    context.waitUntil(ended.then(flushQuietly))
    return over
  } catch {
    return undefined
  }
}
