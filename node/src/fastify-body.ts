import type { FastifyRequest, RequestPayload } from 'fastify'

import type { IncomingWebhook } from './index'

type ReceivedBody = Buffer | Exclude<IncomingWebhook['body'], Uint8Array>

/**
 * Takes the body from where a plugin kept it, or reads it up to the limit. What is beyond runs into nothing: a connection that is closed
 * on it loses the answer.
 */
export async function receive(request: FastifyRequest, payload: RequestPayload, limit: number): Promise<ReceivedBody> {
  const { rawBody } = request
  if (rawBody !== undefined) return Buffer.from(rawBody as Buffer)
  if (request.raw.readableDidRead) return 'unavailable'
  try {
    return await read(request, payload, limit)
  } catch (error) {
    if (request.raw.complete) throw error
    return 'incomplete'
  }
}

async function read(request: FastifyRequest, payload: RequestPayload, limit: number): Promise<Buffer | 'too_large'> {
  const chunks: Buffer[] = []
  let size = 0
  if (Number(request.headers['content-length']) <= limit || request.headers['content-length'] === undefined) {
    for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
      else break
    }
    if (size <= limit) return Buffer.concat(chunks, size)
  }
  payload.resume()
  return 'too_large'
}
