import { EventEmitter } from 'node:events'

/** An object that emits events. */
export interface Emitter {
  readonly on: (event: string, listener: (...args: never) => void) => unknown
  readonly off: (event: string, listener: (...args: never) => void) => unknown
}

type Listener = (...args: readonly unknown[]) => void

/** The one listener to an event, and those that share it. */
interface SharedListener {
  readonly works: Set<{ readonly work: Listener }>
  readonly listener: Listener
}

interface Listened {
  readonly events: Map<string, SharedListener>
  readonly restoreLimit: () => void
}

const listened = new WeakMap<Emitter, Listened>()

/**
 * Listens to an event of an application's object.
 *
 * All listeners of one event share one listener on the object, which leaves with the last of them. Meanwhile the object may
 * have one listener more than its limit. So Node.js warns of no leak, however many faults overlap.
 *
 * @returns A function that stops listening. It does nothing when called again.
 */
export function listenTo(target: Emitter | EventEmitter, event: string, work: Listener): () => void {
  const emitter = target as Emitter
  const known = listened.get(emitter) ?? {
    events: new Map<string, SharedListener>(),
    restoreLimit: raiseLimit(emitter),
  }
  listened.set(emitter, known)
  const shared = known.events.get(event) ?? share(emitter, event)
  known.events.set(event, shared)
  const one = { work }
  shared.works.add(one)
  return () => {
    if (!shared.works.delete(one) || shared.works.size > 0) return
    known.events.delete(event)
    emitter.off(event, shared.listener)
    if (known.events.size > 0) return
    listened.delete(emitter)
    known.restoreLimit()
  }
}

/** Listens to an event once. */
export function listenOnce(emitter: Emitter | EventEmitter, event: string, work: Listener): () => void {
  const stop = listenTo(emitter, event, (...args) => {
    stop()
    work(...args)
  })
  return stop
}

function share(emitter: Emitter, event: string): SharedListener {
  const works: SharedListener['works'] = new Set()
  const listener: Listener = (...args) => {
    for (const { work } of [...works]) work(...args)
  }
  emitter.on(event, listener)
  return { works, listener }
}

/** The property in which Node.js keeps the limit of an emitter. */
const LIMIT = '_maxListeners'

/**
 * Allows one listener more of each event.
 *
 * @returns A function that restores the limit, unless the application has set another one meanwhile.
 */
function raiseLimit(emitter: Emitter): () => void {
  const limit = limitOf(emitter)
  // 0: no limit. An emitter of another library may have none.
  if (limit === 0) return () => undefined
  const before = Object.getOwnPropertyDescriptor(emitter, LIMIT)
  Reflect.set(emitter, LIMIT, limit + 1)
  return () => {
    if (limitOf(emitter) !== limit + 1) return
    if (before === undefined) Reflect.deleteProperty(emitter, LIMIT)
    else Object.defineProperty(emitter, LIMIT, before)
  }
}

function limitOf(emitter: Emitter): number {
  return emitter instanceof EventEmitter ? emitter.getMaxListeners() : 0
}
