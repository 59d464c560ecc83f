/** Deeper values are not looked at. */
const MAX_DEPTH = 32

/** Metadata that is longer is cut by the SDK in any case, so no more of it is read: a request or a model may hold half of the heap. */
const ENOUGH = 64 * 1024

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/**
 * Values that explain a failure as the JSON of an object; `null` for none. It never throws: what JSON cannot say becomes its text,
 * and what cannot even be read says so. What comes behind 64 KiB of text is not read.
 */
export function tellable(values: unknown): string | null {
  if (values === undefined || values === null) return null
  const told = new Reader().sayable(values, [])
  return JSON.stringify(typeof told === 'object' && !Array.isArray(told) ? told : { value: told })
}

class Reader {
  /** What may still be read, in characters; a value counts as one at least. */
  #left = ENOUGH

  sayable(value: unknown, above: readonly object[]): Json {
    this.#left--
    try {
      if (typeof value === 'string') return this.#cut(value)
      if (typeof value === 'boolean' || value === null) return value
      if (typeof value === 'number' && Number.isFinite(value)) return value
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- no object comes here
      return typeof value === 'object' ? this.#membersOf(value, above) : this.#cut(String(value))
    } catch {
      return '[unreadable]'
    }
  }

  #membersOf(value: object, above: readonly object[]): Json {
    if (above.includes(value)) return '[circular]'
    if (above.length === MAX_DEPTH) return '[unreadable]'
    const within = [...above, value]
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') return this.sayable(toJSON.call(value, ''), within)
    if (value instanceof Error) return this.#cut(String(value))
    if (Array.isArray(value)) return this.#itemsOf(value, within)
    const members: [string, Json][] = []
    for (const name of Object.keys(value)) {
      if (this.#left <= 0) break
      members.push([this.#cut(name), this.#memberOf(value, name, within)])
    }
    return Object.fromEntries(members)
  }

  #itemsOf(items: readonly unknown[], within: readonly object[]): Json {
    const told: Json[] = []
    for (let index = 0; index < items.length && this.#left > 0; index++) told.push(this.sayable(items[index], within))
    return told
  }

  /** One getter that throws costs its own member only. */
  #memberOf(value: object, name: string, within: readonly object[]): Json {
    try {
      return this.sayable((value as Record<string, unknown>)[name], within)
    } catch {
      return '[unreadable]'
    }
  }

  /** As much of a text as may be read. Half of a surrogate pair is no text in UTF-8. */
  #cut(text: string): string {
    const read = text.length > this.#left ? text.slice(0, Math.max(0, this.#left)) : text
    this.#left -= read.length
    return Buffer.from(read).toString()
  }
}
