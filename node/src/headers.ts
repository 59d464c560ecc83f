import { asBuffer } from './body'

/** A name or a value of a header: text, as Node shows it, or its bytes. */
type HeaderText = string | Uint8Array

/** Headers in any of the usual shapes: a `Headers` object or Map, a plain object, a list of pairs, `req.rawHeaders`. */
export type HeadersLike =
  | Iterable<readonly [HeaderText, HeaderText | readonly HeaderText[]]>
  | readonly HeaderText[]
  | Readonly<Record<string, HeaderText | number | readonly HeaderText[] | undefined>>

/**
 * Names and values in turn, as `req.rawHeaders` has them. What is no header at all comes out as no headers: the
 * verification then says which one is missing.
 */
export function flatten(headers: unknown): string[] {
  if (typeof headers !== 'object' || headers === null || headers instanceof Uint8Array) return []
  if (isFlat(headers)) return headers.every((one) => typeof one === 'string') ? headers : headers.map((one) => textOf(one) ?? '')
  const flat: string[] = []
  const entries: Iterable<unknown> = Symbol.iterator in headers ? (headers as Iterable<unknown>) : Object.entries(headers)
  for (const entry of entries) {
    if (!Array.isArray(entry)) continue
    const [name, value] = entry as unknown[]
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const [nameText, valueText] = [textOf(name), textOf(one)]
      if (nameText !== undefined && valueText !== undefined) flat.push(nameText, valueText)
    }
  }
  return flat
}

function isFlat(headers: object): headers is unknown[] {
  return Array.isArray(headers) && (typeof headers[0] === 'string' || headers[0] instanceof Uint8Array)
}

/** Bytes become text as `node:http` reads them: each byte one character. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  return value instanceof Uint8Array ? asBuffer(value).toString('latin1') : undefined
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

/** The same for headers in any shape; those that throw when they are read are no headers. */
export function packAny(headers: unknown): string {
  try {
    return packed(headers)
  } catch {
    return ''
  }
}

/** Without a detour for the plain object that nearly everybody has. */
function packed(headers: unknown): string {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) return pack(flatten(headers))
  let text = ''
  for (const name of Object.keys(headers)) {
    const value = (headers as Record<string, unknown>)[name]
    if (typeof value !== 'string' || value.includes('\n') || name.includes('\n')) return pack(flatten(headers))
    text += text === '' ? `${name}\n${value}` : `\n${name}\n${value}`
  }
  return text
}

/** The headers as a plain object with lower-case names, as Node shows them: later ones of a name are appended. */
export function toObject(headers: readonly string[]): Record<string, string> {
  const flat = flatten(headers)
  const object: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase()
    const value = flat[i + 1] as string
    object[name] = Object.hasOwn(object, name) ? `${object[name]}, ${value}` : value
  }
  return object
}
