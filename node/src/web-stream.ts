/** What was read of a stream, and the stream of what comes after it; `null` when that was all. */
export interface ReadSoFar {
  bytes: Uint8Array
  rest: ReadableStream<Uint8Array> | null
}

/** Reads a stream to its end, or until more than `limit` bytes were read. */
export async function readUpTo(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<ReadSoFar> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = stream?.getReader()
  while (reader && size <= limit) {
    const { done, value } = await reader.read()
    if (done) return { bytes: Buffer.concat(chunks, size), rest: null }
    chunks.push(value)
    size += value.byteLength
  }
  reader?.releaseLock()
  return { bytes: Buffer.concat(chunks, size), rest: stream }
}

/** A stream of what was read before and of what is still to come. */
export function rejoin(bytes: Uint8Array, rest: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = rest.getReader()
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes)
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
