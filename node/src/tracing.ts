import type * as Api from '@opentelemetry/api'

import { toObject } from './headers'

/** What is told of a delivery: the names and values that the core chose. */
type Attributes = Record<string, string | number>

/** `link` links the sender's trace; `parent` continues it; `off` makes no spans. */
export type TracingMode = 'link' | 'parent' | 'off'

let api: typeof Api | null | undefined

/** OpenTelemetry's API where the application has it. It is looked for once, as the addon is, when the first endpoint is built. */
function openTelemetry(): typeof Api | null {
  if (api !== undefined) return api
  try {
    return (api = require('@opentelemetry/api') as typeof Api)
  } catch {
    return (api = null)
  }
}

/** What the application's tracer throws is none of the webhook's business. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch {
    return undefined
  }
}

/** Makes the spans of one endpoint. */
export class Tracing {
  readonly #api: typeof Api
  readonly #isParent: boolean

  private constructor(otel: typeof Api, isParent: boolean) {
    this.#api = otel
    this.#isParent = isParent
  }

  /** `null` where it is off, or there is no API. */
  static of(mode: TracingMode = 'link'): Tracing | null {
    const otel = mode === 'off' ? null : openTelemetry()
    return otel && new Tracing(otel, mode === 'parent')
  }

  /** Begins the span of a request: below the span that is current, as a rule the server's. */
  start(provider: string, headers: readonly string[]): DeliverySpan | null {
    return attempt(() => {
      const { context, propagation, ROOT_CONTEXT, SpanKind, trace } = this.#api
      const carrier = toObject(headers)
      const here = context.active()
      const above = this.#isParent ? propagation.extract(here, carrier) : here
      const sender = this.#isParent ? undefined : trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier))
      const links = sender && this.#api.isSpanContextValid(sender) ? [{ context: sender }] : []
      const span = trace.getTracer('surehook').startSpan(`process ${provider}`, { kind: SpanKind.CONSUMER, links }, above)
      return new DeliverySpan(this.#api, span, trace.setSpan(above, span))
    }) ?? null
  }
}

/** The span of one request. Nothing here throws but what the handler does. */
export class DeliverySpan {
  readonly #api: typeof Api
  readonly #context: Api.Context
  #span: Api.Span | null

  constructor(otel: typeof Api, span: Api.Span, context: Api.Context) {
    this.#api = otel
    this.#span = span
    this.#context = context
  }

  /** Runs the handler with the span as the current one. */
  run<T>(handler: () => T): T {
    let ended: (() => T) | undefined
    const once = () => {
      try {
        const value = handler()
        ended = () => value
      } catch (error) {
        ended = () => { throw error }
      }
      return ended
    }
    attempt(() => { this.#api.context.with(this.#context, once) })
    return (ended ?? once())()
  }

  /** Tells what is known so far, where anybody listens. */
  set(attributes: () => Attributes): void {
    attempt(() => { if (this.#span?.isRecording()) this.#span.setAttributes(attributes()) })
  }

  /** Ends the span, once. */
  end(attributes: () => Attributes | undefined): void {
    const span = this.#span
    if (!span) return
    this.#span = null
    attempt(() => {
      if (!span.isRecording()) return
      const told = attributes() ?? {}
      span.setAttributes(told)
      if ('error.type' in told) span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    })
    attempt(() => { span.end() })
  }
}
