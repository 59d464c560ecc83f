/** Headers in any of the usual shapes: a `Headers` object or Map, a plain object, a list of pairs, `req.rawHeaders`. */
export type HeadersLike =
  | Iterable<readonly [string, string]>
  | readonly string[]
  | Readonly<Record<string, string | number | readonly string[] | undefined>>

/**
 * Names and values in turn, as `req.rawHeaders` has them. What is no header at all comes out as no headers: the
 * verification then says which one is missing.
 */
export function flatten(headers: unknown): string[] {
  if (typeof headers !== 'object' || headers === null) return []
  if (isFlat(headers)) return headers
  const flat: string[] = []
  const entries: Iterable<unknown> = Symbol.iterator in headers ? (headers as Iterable<unknown>) : Object.entries(headers)
  for (const entry of entries) {
    if (!Array.isArray(entry)) continue
    const [name, value] = entry as unknown[]
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one === 'string' || typeof one === 'number') flat.push(String(name), String(one))
    }
  }
  return flat
}

function isFlat(headers: object): headers is string[] {
  return Array.isArray(headers) && typeof headers[0] === 'string'
}

/**
 * One string for the native side, a name or a value a line: far cheaper to hand over than an array. No header can hold
 * a line feed; one in a text that never was a header becomes a NUL, which no header can hold either.
 */
export function pack(flat: readonly string[]): string {
  const packed = flat.join('\n')
  if (packed.split('\n').length <= Math.max(flat.length, 1)) return packed
  return flat.map((text) => text.replaceAll('\n', '\0')).join('\n')
}

/** The same for headers in any shape, without a detour for the plain object that nearly everybody has. */
export function packAny(headers: unknown): string {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) return pack(flatten(headers))
  let packed = ''
  for (const name of Object.keys(headers)) {
    const value = (headers as Record<string, unknown>)[name]
    if (typeof value !== 'string' || value.includes('\n') || name.includes('\n')) return pack(flatten(headers))
    packed += packed === '' ? `${name}\n${value}` : `\n${name}\n${value}`
  }
  return packed
}

/** The headers as a plain object with lower-case names, as Node shows them: later ones of a name are appended. */
export function toObject(flat: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase()
    const value = flat[i + 1] as string
    object[name] = Object.hasOwn(object, name) ? `${object[name]}, ${value}` : value
  }
  return object
}
