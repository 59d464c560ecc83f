import { isTextList, kind } from './checks'
import { SurehookError } from './errors'
import { native } from './native'

/** Secrets as the native side takes them: a list, or why there is none. That matters only when a request comes. */
export type GivenSecrets = { secrets: string[]; secretFault?: string }

/** What was given as `signatureSecret`; nothing stands for the environment variables. */
export function givenSecrets(options: { provider?: unknown; scheme?: unknown }, secret: unknown): GivenSecrets {
  if (secret === undefined || secret === null) return { secrets: [] }
  try {
    return { secrets: secretList(options, secret, 'signatureSecret') }
  } catch (error) {
    if (error instanceof SurehookError) return { secrets: [], secretFault: error.message }
    throw error
  }
}

/** One or several secrets as a list. What is no text is refused by name, before anything else looks at it. */
export function secretList(options: { provider?: unknown; scheme?: unknown }, secret: unknown, option: string): string[] {
  const list: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (list.length === 0) throw missing(options, option, 'an empty list')
  for (const one of list) if (typeof one !== 'string') throw missing(options, option, kind(one))
  return list as string[]
}

/** One or several raw keys, as the base64 that stands for them. */
export function keyList(options: { provider?: unknown; scheme?: unknown }, secret: unknown, option: string): string[] {
  const list: unknown[] = Array.isArray(secret) ? secret : [secret]
  if (list.length === 0) throw missing(options, option, 'an empty list')
  return list.map((one) => {
    if (one instanceof Uint8Array) return Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('base64')
    if (typeof one !== 'string') throw missing(options, option, kind(one))
    // Each character is one byte; another would lose its higher bits.
    if (/[^\0-\xff]/.test(one)) throw new SurehookError('secret_invalid', 'the signing secret cannot be used: a raw key holds only characters that are one byte; give it as bytes')
    return Buffer.from(one, 'latin1').toString('base64')
  })
}

function missing(options: { provider?: unknown; scheme?: unknown }, option: string, got: string): SurehookError {
  const variables = variablesOf(options)
  const usual = variables[0] === undefined ? '' : `: usually process.env.${variables[0]}, which must then be set`
  return new SurehookError(
    'secret_missing',
    `${option} must be the signing secret as text, or a list of them, not ${got}${usual}`,
    { option, variables },
  )
}

/** What is written otherwise may be the secret itself in the wrong place, and is not repeated. */
const VARIABLE = /^[A-Z0-9_]+$/

/** The environment variables that usually hold the secret. */
function variablesOf({ provider, scheme }: { provider?: unknown; scheme?: unknown }): string[] {
  if (typeof provider === 'string') return native().secretVariables(provider)
  const own = (scheme as { secretEnv?: unknown } | undefined)?.secretEnv
  return isTextList(own) ? own.filter((name) => VARIABLE.test(name)) : []
}
