/** Deeper values are not looked at. */
const MAX_DEPTH = 32

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/**
 * Values that explain a failure as the JSON of an object; `null` for none. It never throws: what JSON cannot say becomes its text,
 * and what cannot even be read says so.
 */
export function tellable(values: unknown): string | null {
  if (values === undefined || values === null) return null
  const told = sayable(values, [])
  return JSON.stringify(typeof told === 'object' && !Array.isArray(told) ? told : { value: told })
}

function sayable(value: unknown, above: readonly object[]): Json {
  try {
    if (typeof value === 'string') return wellFormed(value)
    if (typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- no object comes here
    return typeof value === 'object' ? membersOf(value, above) : wellFormed(String(value))
  } catch {
    return '[unreadable]'
  }
}

function membersOf(value: object, above: readonly object[]): Json {
  if (above.includes(value)) return '[circular]'
  if (above.length === MAX_DEPTH) return '[unreadable]'
  const within = [...above, value]
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return sayable(toJSON.call(value, ''), within)
  if (value instanceof Error) return wellFormed(String(value))
  if (Array.isArray(value)) return Array.from(value, (item) => sayable(item, within))
  const members = Object.keys(value).map((name): [string, Json] => [wellFormed(name), memberOf(value, name, within)])
  return Object.fromEntries(members)
}

/** One getter that throws costs its own member only. */
function memberOf(value: object, name: string, within: readonly object[]): Json {
  try {
    return sayable((value as Record<string, unknown>)[name], within)
  } catch {
    return '[unreadable]'
  }
}

/** Half of a surrogate pair is no text in UTF-8. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}
