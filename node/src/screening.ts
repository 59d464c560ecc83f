import type { Case, Screening } from '../native/binding'
import type { Attempt } from './attempt'
import { kind } from './checks'
import { describeForLog } from './failure'
import { log } from './logger'
import { native } from './native'

/**
 * Sees each attempt before it is sent, after redaction: answers with it, changed or not, or with `null` to keep it back.
 * It must answer at once; what it throws, or answers otherwise, keeps the attempt back and is said once.
 */
export type BeforeSend = (attempt: Attempt) => Attempt | null

/** How long to sleep at the end of the process, at most, between two looks at whether all is sent. */
const LOOK_MS = 10

let screening: Screening | undefined
let current: BeforeSend | undefined
let hasComplained = false

/** The function of this environment. */
export function screener(): BeforeSend | undefined {
  return current
}

/** Sets, or takes away, the function of this environment. It is only ever called here, on this environment's thread. */
export function screenWith(beforeSend: BeforeSend | undefined): void {
  if (beforeSend !== current) hasComplained = false
  current = beforeSend
  if (beforeSend) (screening ??= new (native().Screening)(judgeAll)).open()
  else screening?.close()
}

/**
 * Waits until all is sent, at most so long, while the event loop does not turn: whatever waits for `beforeSend` is judged
 * here.
 */
export function flushWhileJudging(timeoutMs: number): void {
  const deadline = performance.now() + timeoutMs
  // Asks for everything to be sent now; once, since each time ends a back-off.
  if (native().flushSync(0)) return
  while (native().stats().queued > 0 && performance.now() < deadline) {
    judgeAll()
    screening?.wait(LOOK_MS)
  }
}

function judgeAll(): void {
  for (let one = screening?.take(); one; one = screening?.take()) judge(one)
}

function judge({ id, attempt }: Case): void {
  const fault = screening?.judge(id, screened(attempt))
  if (fault) complain(`what beforeSend answered is no attempt (${fault})`)
}

/** What is to be sent in place of an attempt, as JSON; `null`: nothing. */
export function screened(attempt: string): string | null {
  try {
    const answer: unknown = current ? current(JSON.parse(attempt) as Attempt) : null
    if (answer === null) return null
    if (isAttempt(answer)) return JSON.stringify(answer)
    complain(`beforeSend must answer with an attempt or null, at once, not ${answer instanceof Promise ? 'a promise' : kind(answer)}`)
    if (answer instanceof Promise) answer.catch(() => undefined)
  } catch (error) {
    complain(`beforeSend threw ${describeForLog(error)}`)
  }
  return null
}

function isAttempt(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer) && !(answer instanceof Promise)
}

function complain(what: string): void {
  if (hasComplained) return
  hasComplained = true
  log('error', `${what}; such attempts are not sent, and counted as before_send`)
}
