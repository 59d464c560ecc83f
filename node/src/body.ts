/** Stands for "this is no JSON": a JSON body may itself be `null`. */
export const NOT_JSON = Symbol('not JSON')

/** The parsed JSON of a body, or {@link NOT_JSON}. A byte order mark is skipped, as `Response.json()` does. */
export function parseJson(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : text(body))
  } catch {
    return NOT_JSON
  }
}

function text(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes)
  return buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? buffer.toString('utf8', 3) : buffer.toString()
}

/** The same bytes as a Buffer, not copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
