/** Names of several words, as the core spells them in a scheme. Node users write and read them in camelCase. */
const WORDS = [
  'checked_with',
  'secret_env',
  'message_id',
  'event_type',
  'event_types',
  'event_action',
  'entity_id',
  'max_body_bytes',
  'constant_body',
  'numbered_header',
  'tolerance_seconds',
  'either_port',
  'signed_before_compression',
]
const CORE_NAMES = new Map(WORDS.map((word) => [camelCase(word), word]))
const NODE_NAMES = new Map(WORDS.map((word) => [word, camelCase(word)]))

/** Options whose name in the core is another one, not only another spelling. */
const NODE_OPTIONS = new Map([['tolerance', 'toleranceSeconds'], ['dedup_ttl', 'dedupTtlSeconds'], ['deadline', 'deadlineMs']])

/** The object with its own members under the names of the core; the values are left as they are. */
export function withCoreNames(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [CORE_NAMES.get(name) ?? name, value as unknown]))
}

/** A message of the core about an option or a member of a scheme, with the names that the user wrote. */
export function withNodeNames(message: string): string {
  return message
    .replace(/^the option (\w+)/, (_, name: string) => `the option ${NODE_OPTIONS.get(name) ?? camelCase(name)}`)
    .replace(/ at line \d+ column \d+$/, '')
    .replace(/[a-z]+(?:_[a-z]+)+(?!\w)/g, (word) => NODE_NAMES.get(word) ?? word)
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
