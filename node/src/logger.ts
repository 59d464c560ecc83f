import { native } from './native'

/** Where Surehook writes what the owner of the application should know. `console` is one. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

let logger: Logger = console

/** Replaces the console. */
export function setLogger(replacement: Logger): void {
  logger = replacement
}

/** Writes one line; a logger that throws is none of the webhook's business. */
export function log(level: keyof Logger, text: string): void {
  try {
    logger[level](`surehook: ${text}`)
  } catch {
    // Nobody is left to tell.
  }
}

/** Writes the notices that came up in native code since the last call. */
export function logNotices(): void {
  for (const { level, text } of native().takeNotices()) {
    log(level === 'warning' ? 'warn' : level === 'error' ? 'error' : 'info', text)
  }
}
