import { EventEmitter } from 'node:events'
import type { AnyFunction } from '@chaos/core/authoring'
import type { EventName, Failure, Message } from './bus.js'
import { replaced } from './method-seam.js'

/** What an in-process bus must have: Node's `EventEmitter`, a class derived from it, or one that looks like it (eventemitter3, mitt, emittery). */
export interface EmitterLike {
  emit(name: never, ...args: never[]): unknown
  on(name: never, listener: never): unknown
}

/** The arguments of `emit`. */
export type EmitArgs = readonly [event: EventName, ...rest: readonly unknown[]]

/** How faults call an emitter. */
export interface CallableEmitter {
  emit(name: EventName, ...args: unknown[]): unknown
  listenerCount?(name: EventName): number
  rawListeners?(name: EventName): AnyFunction[]
}

/** A listener of an emitter, as the emitter itself would call it. */
interface Listener {
  /** The function that was registered. */
  readonly listener: AnyFunction
  /** @param args What `emit` was called with, the name first. */
  readonly call: (args: EmitArgs) => unknown
  /** Whether it still listens. */
  readonly isStillThere: () => boolean
}

/** How the arguments of `emit`, the event first, are read as a message. */
export interface Reading {
  readonly name: (args: EmitArgs) => EventName
  /** The position of its content. */
  readonly payloadAt: number
  /** Puts other content in its place, where more than that argument tells of it. */
  readonly replace?: (args: EmitArgs, payload: unknown) => EmitArgs
  /** Whether a client is closed for good, so that none of its listeners gets anything any more. Default: never. */
  readonly isGone?: (client: object) => boolean
  /** How a listener of it fails. Default: as one of an emitter. */
  readonly fail?: (error: Error, how: Failure) => unknown
}

/** The arguments with other content. */
export const withContent = ({ payloadAt, replace }: Reading, args: EmitArgs, payload: unknown): EmitArgs =>
  replace?.(args, payload) ?? replaced(args, payloadAt, payload)

/** An event that is itself the message. */
const EVENT: Reading = { name: ([event]) => event, payloadAt: 1 }

/** eventemitter3's record of a listener. */
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
  '_events' in emitter && !('rawListeners' in emitter)

/** Whether an emitter lets its listeners be called one by one. */
export function tellsListenersApart(emitter: object): boolean {
  return 'rawListeners' in emitter || isEventEmitter3(emitter) || isMitt(emitter)
}

/** The listeners of an event, in the order and the number in which `emit` would call them now. */
export function listenersOf(emitter: CallableEmitter, name: EventName): Listener[] {
  if (emitter.rawListeners !== undefined) {
    return emitter.rawListeners(name).map((raw) => ({
      // A listener of `once` is wrapped; the wrapper takes itself out.
      listener: listenerIn(raw),
      call: (args) => {
        const result = raw.apply(emitter, args.slice(1)) as unknown
        catchRejection(emitter, result, args)
      },
      isStillThere: () => emitter.rawListeners?.(name).includes(raw) === true,
    }))
  }
  if (isMitt(emitter)) {
    const those = (registered: EventName, from: number): Listener[] =>
      (emitter.all.get(registered) ?? []).map((listener) => ({
        listener,
        call: (args) => Reflect.apply(listener, undefined, args.slice(from)) as unknown,
        isStillThere: () => emitter.all.get(registered)?.includes(listener) === true,
      }))
    return [...those(name, 1), ...those('*', 0)]
  }
  if (!isEventEmitter3(emitter)) return []
  const registered = (): readonly Registered[] => [emitter._events[name] ?? []].flat()
  return registered().map(({ fn, context, once }) => ({
    listener: fn,
    call: (args) => {
      if (once) emitter.removeListener(name, fn, undefined, true)
      return fn.apply(context, args.slice(1)) as unknown
    },
    isStillThere: () => registered().some((one) => one.fn === fn && one.context === context),
  }))
}

/** The function that was registered, beneath the wrapper of `once`. A function of the application may have anything under that name. */
function listenerIn(raw: AnyFunction): AnyFunction {
  try {
    const { listener } = raw as { readonly listener?: unknown }
    return typeof listener === 'function' ? listener : raw
  } catch {
    return raw
  }
}

/** What a listener is called, as far as that is a text. */
export function nameOf(listener: AnyFunction): string {
  try {
    const name: unknown = listener.name
    return typeof name === 'string' ? name.replace(/^bound /, '') : ''
  } catch {
    return ''
  }
}

/** Who wants to see what single listeners get, which no layer beneath a fault sees. */
const watchers = new WeakMap<object, Set<(message: Message) => void>>()

/** Shows each message that a fault hands to a single listener of an emitter. @returns Stops. */
export function watchListeners(emitter: object, watch: (message: Message) => void): () => void {
  const all = watchers.get(emitter) ?? new Set()
  watchers.set(emitter, all.add(watch))
  return () => void all.delete(watch)
}

/** The message of one listener. */
export function listenerMessage(
  emitter: CallableEmitter,
  { listener, call, isStillThere }: Listener,
  args: EmitArgs,
  reading: Reading = EVENT,
): Message {
  const message: Message = {
    name: reading.name(args),
    args,
    payload: args[reading.payloadAt],
    subscriber: { name: nameOf(listener), identity: listener },
    forward: () => {
      watchers.get(emitter)?.forEach((watch) => watch(message))
      return call(args)
    },
    withPayload: (payload) =>
      listenerMessage(emitter, { listener, call, isStillThere }, withContent(reading, args, payload), reading),
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

/** A rejection that goes where that of an async listener goes: to the emitter, if it captures them, else to the process. */
export function rejectAs(emitter: CallableEmitter, rejection: Promise<never>, args: readonly unknown[]): void {
  catchRejection(emitter, rejection, args)
}

/** The symbol under which an emitter keeps whether it captures rejections; not public, so it is found by its description. */
const CAPTURE = Object.getOwnPropertySymbols(EventEmitter.prototype).find(
  ({ description }) => description === 'kCapture',
)

/**
 * Does what `emit` does with what a listener returned.
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
