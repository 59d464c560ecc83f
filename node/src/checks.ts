import { types } from 'node:util'

import { SurehookError } from './errors'

/** What an option may be: a JavaScript type, a list of texts, or one of some words. */
export type Rule = 'string' | 'number' | 'boolean' | 'function' | 'list' | readonly string[]

/** Refuses options of the wrong type by their names, before anything else looks at them. Values are never repeated. */
export function checkOptions(options: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (typeof options !== 'object' || options === null) {
    throw new SurehookError('invalid_option', `the options must be an object, not ${kind(options)}`)
  }
  for (const name in rules) {
    const value = (options as Record<string, unknown>)[name]
    const rule = rules[name] as Rule
    if (value !== undefined && !fits(value, rule)) throw invalid(name, `it must be ${inWords(rule)}, not ${kind(value)}`)
  }
}

/** The error for an option that cannot be used. */
export function invalid(option: string, fault: string): SurehookError {
  return new SurehookError('invalid_option', `the option ${option} cannot be used: ${fault}`, { option })
}

/** What a value is, in words that do not repeat it. */
export function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'string' ? 'this text' : `a value of type ${typeof value}`
}

/** Whether a value is a list of texts. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function fits(value: unknown, rule: Rule): boolean {
  if (rule === 'list') return isTextList(value)
  return typeof rule === 'string' ? typeof value === rule : rule.includes(value as string)
}

function inWords(rule: Rule): string {
  if (typeof rule !== 'string') return rule.map((word) => `'${word}'`).join(' or ')
  return { string: 'text', number: 'a number', boolean: 'true or false', function: 'a function', list: 'a list of texts' }[rule]
}

/** The time of an option, in milliseconds. */
export function millisecondsOf(time: unknown, option: string): number | undefined {
  if (time === undefined) return undefined
  if (!types.isDate(time) || Number.isNaN(time.getTime())) throw invalid(option, `it must be a valid Date, not ${kind(time)}`)
  return time.getTime()
}
