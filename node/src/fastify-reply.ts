/**
 * A reply whose sender may leave: Fastify then neither waits for the handler nor sends what it returns, and says to a handler that
 * returned the reply that all is over. Here the handler runs on, and what it answers is what counts.
 */
import { subscribe } from 'node:diagnostics_channel'

import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Delivery } from './index'
import { flatten } from './node-headers'

/** A reply while its handler runs. */
interface Watched {
  reply: FastifyReply
  senderLeft: boolean
  /** Something is on its way out, through hooks that may take their time. */
  sends: boolean
  handlerEnded: boolean
}

const watched = new WeakMap<FastifyRequest, Watched>()
let subscribed = false

/** Watches the reply of a handler that is about to run. */
export function watchReply(request: FastifyRequest, reply: FastifyReply, delivery: Delivery): void {
  hearOfHandlers()
  const state: Watched = { reply, senderLeft: false, sends: false, handlerEnded: false }
  watched.set(request, state)
  const { send, then } = reply

  reply.send = (...args) => {
    state.sends = true
    return Reflect.apply(send, reply, args)
  }

  // Fastify awaits what a handler returned; of a reply whose connection is closed it is told that it was sent.
  reply.then = (fulfilled, rejected) => {
    then.call(reply, () => { if (state.sends || !state.senderLeft) fulfilled() }, rejected)
  }

  reply.raw.once('close', () => {
    state.senderLeft = true
    finishRaw(state, delivery)
    delivery.senderLeft()
    settle(state)
  })
}

/** A handler may take the reply out of Fastify's hands and write the answer itself: it ends when that does. */
function finishRaw(state: Watched, delivery: Delivery): void {
  const { raw } = state.reply
  const finish = () => {
    if (state.sends) return
    const answer = { status: raw.statusCode, headers: flatten(raw.getHeaders()), body: null }
    // What became of it is recorded; there is nobody left to be told.
    Promise.resolve(delivery.finish(answer)).catch(() => undefined)
  }
  if (raw.writableEnded) {
    finish()
    return
  }
  const { end } = raw
  raw.end = ((...args: Parameters<typeof end>) => {
    finish()
    return Reflect.apply(end, raw, args)
  }) as typeof end
}

/** What Fastify sends for a handler that returned nothing, were the sender still there. */
function settle({ reply, senderLeft, sends, handlerEnded }: Watched): void {
  if (senderLeft && handlerEnded && !sends) void reply.send()
}

/** Fastify tells only here when the promise of a handler is settled. */
function hearOfHandlers(): void {
  if (subscribed) return
  subscribed = true
  subscribe('tracing:fastify.request.handler:asyncEnd', (message) => {
    const { request, error } = message as { request: FastifyRequest; error?: unknown }
    const state = watched.get(request)
    if (!state || error !== undefined) return
    state.handlerEnded = true
    settle(state)
  })
}
