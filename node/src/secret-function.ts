import type { Endpoint as NativeEndpoint, SecretSaid } from '../native/binding'
import { isTextList, kind } from './checks'
import { describeForLog } from './failure'
import { toObject } from './headers'
import { native } from './native'

/** What a function that gives the secrets gets to see: nothing of it is verified yet. */
export interface SecretRequest {
  readonly method: string
  /** The path with its query, as it came. */
  readonly path: string
  /** Names in lower case; what came twice is joined. */
  readonly headers: Readonly<Record<string, string>>
  /** The raw bytes. */
  readonly body: Buffer
}

/** A secret or several, or with the name of whose they are; nothing where there is none. */
export type GivenSecret = string | readonly string[] | { readonly secret: string | readonly string[]; readonly sender?: string | undefined } | null | undefined

/** A request to its secret, at once or by a promise. What it throws is logged, and the request gets 503. */
export type SecretFunction = (request: SecretRequest) => GivenSecret | Promise<GivenSecret>

/** What the function says, within its time. It never throws. */
export async function askForSecret(endpoint: NativeEndpoint, given: SecretFunction, request: SecretRequest): Promise<SecretSaid> {
  const call = endpoint.callSecretFunction()
  if (!call) return native().tooManySecretCalls()
  const answer = (async () => read(await given(request)))()
    .catch((error: unknown): SecretSaid => ({ fault: `threw ${describeForLog(error)}` }))
    .finally(() => { call.end() })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<SecretSaid>((resolve) => {
    timer = setTimeout(() => { resolve(native().secretTimedOut()) }, native().secretTimeoutMs())
  })
  try {
    return call.answered(await Promise.race([answer, late]))
  } finally {
    clearTimeout(timer)
  }
}

/** The headers are named as every function of the user gets them. */
export function secretRequest(method: string, path: string, headers: readonly string[], body: Buffer): SecretRequest {
  return { method, path, headers: toObject(headers), body }
}

function read(given: unknown): SecretSaid {
  if (given === undefined || given === null) return {}
  if (typeof given === 'string') return { secrets: [given] }
  if (isTextList(given)) return { secrets: [...given] }
  if (typeof given !== 'object' || Array.isArray(given)) return { fault: `returned ${kind(given)}, not text, a list of it, an object with it as secret, or nothing` }
  const { secret, sender } = given as { secret?: unknown; sender?: unknown }
  if (sender !== undefined && sender !== null && typeof sender !== 'string') return { fault: `named a sender that is ${kind(sender)}, not text` }
  const said = read(typeof secret === 'object' && !isTextList(secret) && secret !== null ? 0 : secret)
  return typeof sender === 'string' && said.secrets ? { ...said, sender } : said
}
