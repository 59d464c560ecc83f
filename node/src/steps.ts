import type { ThrownError } from '../native/binding'
import { shown, thrown } from './failure'

/** Whoever steps are told to. */
interface StepRecorder {
  stepEnded(name: string, durationMs: number, error?: ThrownError): void
}

/** Runs a named piece of work, and records how long it took and the error that ended it. The error is thrown on. */
export function runStep<T>(recorder: StepRecorder, name: unknown, work: () => T): T {
  const text = shown(name)
  const started = performance.now()
  const done = <Value>(value: Value): Value => {
    recorder.stepEnded(text, performance.now() - started)
    return value
  }
  const failed = (error: unknown): never => {
    recorder.stepEnded(text, performance.now() - started, thrown(error))
    throw error
  }
  let result: T
  try {
    result = work()
  } catch (error) {
    return failed(error)
  }
  return isThenable(result) ? (Promise.resolve(result).then(done, failed) as T) : done(result)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
