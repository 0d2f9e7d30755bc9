import { EventEmitter } from 'node:events'
import type { AnyFunction } from '@chaos/core/authoring'
import type { EventName, Failure, Message } from './bus.js'
import { replaced } from './method-seam.js'

/**
 * An event emitter: Node's `EventEmitter`, a derived class, or an emitter with the same methods (eventemitter3, mitt,
 * emittery).
 */
export interface EmitterLike {
  emit(name: never, ...args: never[]): unknown
  on(name: never, listener: never): unknown
}

/** The arguments of `emit`. */
export type EmitArgs = readonly [event: EventName, ...rest: readonly unknown[]]

/** An emitter as faults call it. */
export interface CallableEmitter {
  emit(name: EventName, ...args: unknown[]): unknown
  listenerCount?(name: EventName): number
  rawListeners?(name: EventName): AnyFunction[]
  listeners?(name: EventName): readonly AnyFunction[]
}

/** A listener, with the call that the emitter itself makes. */
interface Listener {
  /** The registered function. */
  readonly listener: AnyFunction
  /** What the emitter calls: the registered function, or its wrapper of `once`. */
  readonly raw: AnyFunction
  /** @param args The arguments of `emit`, with the name first. */
  readonly call: (args: EmitArgs) => unknown
  /** Whether the listener is still registered. */
  readonly isStillThere: () => boolean
}

/** How the arguments of `emit` become a message. */
export interface Reading {
  readonly name: (args: EmitArgs) => EventName
  /** The index of the content. */
  readonly payloadAt: number
  /** Replaces the content, where more than one argument holds it. */
  readonly replace?: (args: EmitArgs, payload: unknown) => EmitArgs
  /** The `baggage` header of the message. Default: it has no headers. */
  readonly baggage?: (args: EmitArgs) => unknown
  /** Whether a client is closed for good, so that its listeners get no more messages. Default: never. */
  readonly isGone?: (client: object) => boolean
  /** How a listener of the event fails. Default: as a listener of an emitter. */
  readonly fail?: (error: Error, how: Failure) => unknown
}

/** The arguments with other content. */
export const withContent = ({ payloadAt, replace }: Reading, args: EmitArgs, payload: unknown): EmitArgs =>
  replace?.(args, payload) ?? replaced(args, payloadAt, payload)

/** Reads an event of an emitter: its name is the name of the message, its first argument the content. */
const EVENT: Reading = { name: ([event]) => event, payloadAt: 1 }

/** The record of a listener in eventemitter3. */
interface Registered {
  readonly fn: AnyFunction
  readonly context: unknown
  readonly once: boolean
}
interface EventEmitter3 {
  readonly _events: Readonly<Record<EventName, Registered | readonly Registered[] | undefined>>
  removeListener(name: EventName, fn: AnyFunction, context: undefined, once: boolean): unknown
}
interface Mitt {
  readonly all: ReadonlyMap<EventName, readonly AnyFunction[]>
}

const isMitt = (emitter: object): emitter is Mitt => 'all' in emitter && emitter.all instanceof Map
const isEventEmitter3 = (emitter: object): emitter is EventEmitter3 =>
  '_events' in emitter && '_eventsCount' in emitter && !('rawListeners' in emitter)

/** The parts of eventemitter2 that faults use. With `wildcard`, `listeners` finds those of matching patterns. */
interface EventEmitter2 {
  /** The name of the event under way, which listeners of patterns read. */
  event: unknown
  listeners(name: unknown): readonly AnyFunction[]
  listenersAny(): readonly AnyFunction[]
}
export const isEventEmitter2 = (emitter: object): emitter is EventEmitter2 & CallableEmitter =>
  'listenersAny' in emitter && 'emitAsync' in emitter && 'listeners' in emitter && !('rawListeners' in emitter)

/** Whether the listeners of an emitter can be called one by one. */
export function tellsListenersApart(emitter: object): boolean {
  return 'rawListeners' in emitter || isEventEmitter2(emitter) || isEventEmitter3(emitter) || isMitt(emitter)
}

/** The listeners of an event, as often and in the order in which `emit` calls them. */
export function listenersOf(emitter: CallableEmitter, name: EventName): Listener[] {
  if (emitter.rawListeners !== undefined) {
    return emitter.rawListeners(name).map((raw) => ({
      // The wrapper of a `once` listener removes itself.
      listener: listenerIn(raw),
      raw,
      call: (args) => {
        const result = raw.apply(emitter, args.slice(1)) as unknown
        catchRejection(emitter, result, args)
      },
      isStillThere: () => emitter.rawListeners?.(name).includes(raw) === true,
    }))
  }
  if (isEventEmitter2(emitter)) {
    const those = (all: () => readonly AnyFunction[], from: number): Listener[] =>
      all().map((raw) => ({
        listener: originIn(raw),
        raw,
        call: (args) => {
          emitter.event = args[0]
          return raw.apply(emitter, args.slice(from)) as unknown
        },
        isStillThere: () => all().includes(raw),
      }))
    return [...those(() => emitter.listenersAny(), 0), ...those(() => emitter.listeners(name), 1)]
  }
  if (isMitt(emitter)) {
    const those = (registered: EventName, from: number): Listener[] =>
      (emitter.all.get(registered) ?? []).map((listener) => ({
        listener,
        raw: listener,
        call: (args) => Reflect.apply(listener, undefined, args.slice(from)) as unknown,
        isStillThere: () => emitter.all.get(registered)?.includes(listener) === true,
      }))
    return [...those(name, 1), ...those('*', 0)]
  }
  if (!isEventEmitter3(emitter)) return []
  const registered = (): readonly Registered[] => [emitter._events[name] ?? []].flat()
  return registered().map(({ fn, context, once }) => ({
    listener: fn,
    raw: fn,
    call: (args) => {
      if (once) emitter.removeListener(name, fn, undefined, true)
      return fn.apply(context, args.slice(1)) as unknown
    },
    isStillThere: () => registered().some((one) => one.fn === fn && one.context === context),
  }))
}

/**
 * The registered function inside the wrapper of `once`. The `listener` property of an application function can be
 * anything.
 */
function listenerIn(raw: AnyFunction): AnyFunction {
  try {
    const { listener } = raw as { readonly listener?: unknown }
    return typeof listener === 'function' ? listener : raw
  } catch {
    return raw
  }
}

/** The registered function inside a wrapper of eventemitter2. */
function originIn(raw: AnyFunction): AnyFunction {
  const { _origin: origin } = raw as { readonly _origin?: unknown }
  return typeof origin === 'function' ? origin : raw
}

/** The name of a listener; empty if it has none. */
export function nameOf(listener: AnyFunction): string {
  try {
    const name: unknown = listener.name
    return typeof name === 'string' ? name.replace(/^bound /, '') : ''
  } catch {
    return ''
  }
}

/**
 * The observers of messages that faults pass directly to one listener; no layer below the fault sees these messages.
 */
const watchers = new WeakMap<object, Set<(message: Message) => void>>()

/**
 * Reports each message that a fault passes directly to one listener of an emitter.
 *
 * @returns A function that stops reporting.
 */
export function watchListeners(emitter: object, watch: (message: Message) => void): () => void {
  const all = watchers.get(emitter) ?? new Set()
  watchers.set(emitter, all.add(watch))
  return () => void all.delete(watch)
}

/** The message to one listener. */
export function listenerMessage(
  emitter: CallableEmitter,
  to: Listener,
  args: EmitArgs,
  reading: Reading = EVENT,
): Message {
  const { listener, call, isStillThere } = to
  const message: Message = {
    name: reading.name(args),
    args,
    payload: args[reading.payloadAt],
    subscriber: { name: nameOf(listener), identity: listener },
    forward: () => {
      watchers.get(emitter)?.forEach((watch) => watch(message))
      return call(args)
    },
    withPayload: (payload) => listenerMessage(emitter, to, withContent(reading, args, payload), reading),
    answer: () => undefined,
    isGone: () => reading.isGone?.(emitter) === true || !isStillThere(),
    fail: (error, how) => {
      if (reading.fail !== undefined) return reading.fail(error, how)
      if (how === 'throw') throw error
      rejectAs(emitter, Promise.reject(error), args)
      return undefined
    },
  }
  return message
}

/**
 * Handles a rejection as that of an async listener: the emitter gets it if it captures rejections, otherwise the
 * process.
 */
export function rejectAs(emitter: CallableEmitter, rejection: Promise<never>, args: readonly unknown[]): void {
  catchRejection(emitter, rejection, args)
}

/** The private symbol of the `captureRejections` setting, found by its description. */
const CAPTURE = Object.getOwnPropertySymbols(EventEmitter.prototype).find(
  ({ description }) => description === 'kCapture',
)

/**
 * Handles the return value of a listener as `emit` does.
 *
 * @see `addCatch` and `emitUnhandledRejectionOrErr` in Node.js, lib/events.js
 */
function catchRejection(emitter: CallableEmitter, result: unknown, args: readonly unknown[]): void {
  if (CAPTURE === undefined || Reflect.get(emitter, CAPTURE) !== true) return
  if (typeof result !== 'object' || result === null || !('then' in result) || typeof result.then !== 'function') return
  const onRejected = (error: unknown): void =>
    process.nextTick(() => {
      const handler: unknown = Reflect.get(emitter, EventEmitter.captureRejectionSymbol)
      if (typeof handler === 'function') {
        Reflect.apply(handler, emitter, [error, ...args])
        return
      }
      Reflect.set(emitter, CAPTURE, false)
      try {
        emitter.emit('error', error)
      } finally {
        Reflect.set(emitter, CAPTURE, true)
      }
    })
  Reflect.apply(result.then, result, [undefined, onRejected])
}
