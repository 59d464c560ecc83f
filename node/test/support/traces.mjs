// OpenTelemetry as an application sets it up, with its spans kept in memory.
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

export const exporter = new InMemorySpanExporter()

export function setUpTraces() {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
}

export const tracer = trace.getTracer('application')

/** A middleware that does what an instrumentation of a server does: a span for the request, current while it is handled. */
export const serverSpan = (next) => tracer.startActiveSpan('POST /hook', (span) => {
  const end = () => { span.end() }
  const handled = next()
  if (handled instanceof Promise) handled.then(end, end)
  return { end, handled }
})
