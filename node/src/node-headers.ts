import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

export type HeaderArgument = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined

/** Names and values in turn. What a gateway made into a request, as on AWS Lambda, has no raw ones. */
export function headersOf({ rawHeaders, headers }: IncomingMessage): readonly string[] {
  if ((rawHeaders as readonly string[] | undefined)?.length) return rawHeaders
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap((one) => [name, one]))
}

/** Headers given to `writeHead` alone would never be seen by `getHeaders`. */
export function setHeaders(response: ServerResponse, headers: HeaderArgument): void {
  const entries = Array.isArray(headers) ? pairs(headers) : Object.entries(headers ?? {})
  for (const [name, value] of entries) if (value !== undefined) response.setHeader(name, value)
}

function pairs(flat: OutgoingHttpHeader[]): [string, OutgoingHttpHeader][] {
  const names = flat.filter((_, i) => i % 2 === 0)
  return names.map((name, i) => [String(name), flat[2 * i + 1] ?? ''])
}

type HeaderValue = string | number | readonly string[]

/** Names and values in turn, as a response has them. */
export function flatten(headers: Readonly<Record<string, HeaderValue | undefined>>): string[] {
  const flat: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    for (const one of typeof value === 'object' ? value : [value]) flat.push(name, String(one))
  }
  return flat
}
