import type { ThrownError } from '../native/binding'
import { native } from './native'

/** The type, the message and the place of whatever was thrown, also of what throws when it is looked at. */
export function describe(error: unknown): [type: string, message: string, location: string | null] {
  try {
    if (error instanceof Error) return [shown(error.name), shown(error.message), place(error.stack)]
  } catch {
    return ['Error', 'an error that cannot be read', null]
  }
  return [error === null ? 'null' : typeof error, shown(error), null]
}

/** The same as the native side takes it. */
export function thrown(error: unknown): ThrownError {
  const [errorType, message, location] = describe(error)
  return location === null ? { errorType, message } : { errorType, message, location }
}

/** The type and the message in one line, without what looks like a credential. */
export function describeForLog(error: unknown): string {
  const [type, message] = describe(error)
  return native().redacted(`${type}: ${message}`).replace(/\s+/g, ' ')
}

/** The first line of a stack that is the application's own. */
function place(stack: unknown): string | null {
  if (typeof stack !== 'string') return null
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '))
  const own = frames.find((frame) => !/node_modules|node:|<anonymous>/.test(frame))
  return (own ?? frames[0])?.trim().slice(3) ?? null
}

/** Any value as text: what a caller hands in by mistake must not become an exception in the handler. */
export function shown(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'a value that cannot be shown'
  }
}
