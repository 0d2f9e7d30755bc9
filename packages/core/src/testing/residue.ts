import type { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { keptName, printable } from '../basics/text.js'
import type { Fault, InjectionContext } from '../fault/fault.js'
import { processState } from '../process/process-state.js'
import { shapeDifference, shapeOf, type Shape } from './shape.js'

/**
 * Compares objects with what they were before a fault: prototype, own keys and their attributes, functions, listeners of
 * each event, whether keys can be added, and whether V8 still stores the object in its fast form.
 */
export interface ResidueRecorder {
  /** Records objects as they are now. Each is compared in full. An object that is known already keeps its first record. */
  readonly register: (...objects: readonly object[]) => void
  /** Records objects as {@link watch} does: for what a call makes, such as a response or a socket, as soon as the caller has it. */
  readonly meet: (...objects: readonly object[]) => void
  /**
   * Returns the same fault, which also records each object that it patches and each that it meets: the receiver, the
   * arguments and the results (those of promises included) of the calls that pass its layers. An object is recorded before
   * the fault sees it. Objects that a fault meets change in use, so only what hides or wraps a member, the prototype, and
   * the fast form are compared.
   */
  readonly watch: <Target>(fault: Fault<Target>) => Fault<Target>
  /** The number of objects recorded. */
  readonly size: number
  /**
   * Describes what differs now, one sentence an object. Empty if nothing differs.
   *
   * @param mayAdd Says of a key that is new whether the application may have added it. Default: none.
   */
  readonly differences: (mayAdd?: (key: PropertyKey) => boolean) => readonly string[]
}

/** What is remembered of an object. */
interface Before {
  readonly shape: Shape
  readonly isExtensible: boolean
  readonly isFast: boolean
  readonly listeners: ReadonlyMap<PropertyKey, readonly unknown[]>
}

/** The most objects that a recorder remembers. A fault may meet one for each call. */
const MAX_OBJECTS = 10_000

/** Makes a {@link ResidueRecorder} that knows no object yet. */
export function residueRecorder(): ResidueRecorder {
  const registered = new Map<object, Before>()
  const met = new Map<object, Before>()

  const meet = (value: unknown): void => {
    if (!isObject(value) || registered.has(value) || met.has(value) || met.size === MAX_OBJECTS) return
    met.set(value, recordOf(value))
  }
  const register = (...objects: readonly object[]): void => {
    for (const object of objects) if (!registered.has(object)) registered.set(object, recordOf(object))
  }
  return {
    register,
    meet: (...objects) => objects.forEach(meet),
    watch: (fault) => ({
      ...fault,
      inject: (target, context) => fault.inject(target, watched(context, meet)),
    }),
    get size() {
      return registered.size + met.size
    },
    differences: (mayAdd) => [
      ...[...registered].flatMap(([object, before]) => said(object, differenceOf(object, before, mayAdd))),
      ...[...met].flatMap(([object, before]) => said(object, hiddenBy(object, before))),
    ],
  }
}

/** A context whose patches show `meet` every object that passes them. */
function watched(context: InjectionContext, meet: (value: unknown) => void): InjectionContext {
  const patch: InjectionContext['patch'] = (object, key, layer, options) => {
    meet(object)
    const watchedLayer: typeof layer = (below) => {
      const seen = {
        get call() {
          const { call } = below
          return function (this: unknown, ...args: unknown[]): unknown {
            const result: unknown = Reflect.apply(call, this, args)
            meetResult(result, meet)
            return result
          }
        },
      }
      const fn = layer(seen)
      return function (this: unknown, ...args: unknown[]): unknown {
        meet(this)
        args.forEach(meet)
        // A class under a fault is called with `new`. The types say that this never is so.
        const constructed: unknown = new.target
        return constructed === undefined ? Reflect.apply(fn, this, args) : Reflect.construct(fn, args, new.target)
      }
    }
    context.patch(object, key, watchedLayer, options)
  }
  return Object.create(context, { patch: { value: patch } }) as InjectionContext
}

/** Meets a result, and what a promise of it gives. The promise is observed first, so before the fault sees its value. */
function meetResult(result: unknown, meet: (value: unknown) => void): void {
  meet(result)
  if (result instanceof Promise) result.then(meet, () => undefined)
}

function recordOf(object: object): Before {
  return {
    shape: shapeOf(object),
    isExtensible: Object.isExtensible(object),
    isFast: hasFastProperties(object),
    listeners: listenersOf(object),
  }
}

function said(object: object, difference: string | undefined): readonly string[] {
  if (difference === undefined) return []
  const { constructor } = object as { readonly constructor?: unknown }
  const name = typeof constructor === 'function' ? constructor.name : ''
  return [`${name === '' ? 'an object' : `an object of ${printable(name)}`}: ${difference}`]
}

function differenceOf(object: object, before: Before, mayAdd?: (key: PropertyKey) => boolean): string | undefined {
  return (
    shapeDifference(before.shape, shapeOf(object), mayAdd) ??
    (before.isExtensible === Object.isExtensible(object) ? undefined : 'whether keys can be added has changed') ??
    listenerDifference(before.listeners, listenersOf(object)) ??
    slower(object, before)
  )
}

/** What an object in use never does to itself, but a fault may leave: another prototype, or an own member over an inherited one. */
function hiddenBy(object: object, before: Before): string | undefined {
  const { prototype, members } = before.shape[0] as Shape[number]
  const now = Object.getPrototypeOf(object) as object | null
  if (now !== prototype || (now !== null && processState().splices.has(now))) return 'its prototype is another object'
  for (const key of Reflect.ownKeys(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor
    const isFunction = typeof descriptor.value === 'function' || descriptor.get !== undefined
    if (!isFunction || prototype === null || !(key in prototype)) continue
    if (isOfNode(descriptor.value) || isOfHttpServer(object, key)) continue
    const known = members.get(key)
    if (known === undefined) return `\`${keptName(key)}\` hides the inherited member`
    const own: unknown = descriptor.value ?? Reflect.get(descriptor, 'get')
    if (!known.includes(own)) return `\`${keptName(key)}\` is another function`
  }
  return slower(object, before)
}

/** Whether Node.js itself puts this function on an object: a socket that was ended refuses further writes so. */
function isOfNode(fn: unknown): boolean {
  return fn === Socket.prototype.write || (typeof fn === 'function' && fn.name === 'writeAfterFIN')
}

/** The members with which an HTTP server notices that someone else reads from a connection that its parser reads natively. */
const WATCHED_BY_HTTP_SERVER: ReadonlySet<PropertyKey> = new Set([
  'on',
  'addListener',
  'prependListener',
  'setEncoding',
])

/** Whether an HTTP server of Node.js puts such a member on an object: on each connection that it accepts. */
function isOfHttpServer(object: object, key: PropertyKey): boolean {
  if (!WATCHED_BY_HTTP_SERVER.has(key) || !(object instanceof Socket) || !('server' in object)) return false
  const { server } = object
  return typeof server === 'object' && server !== null && 'maxRequestsPerSocket' in server
}

function slower(object: object, { isFast }: Before): string | undefined {
  return isFast && !hasFastProperties(object) ? 'V8 now stores it as a slow dictionary' : undefined
}

function listenersOf(object: object): ReadonlyMap<PropertyKey, readonly unknown[]> {
  if (!isEmitter(object)) return new Map()
  const names = object.eventNames().filter((name) => !BOOKKEEPING.has(name))
  return new Map(names.map((name) => [name, object.rawListeners(name)]))
}

/** Node.js adds and removes listeners of these events by itself, when a stream or a worker begins and ends. */
const BOOKKEEPING = new Set<string | symbol>(['newListener', 'removeListener'])

/** Whether an object is an emitter that has been constructed. A prototype of emitters has no listeners of its own. */
function isEmitter(object: object): object is EventEmitter {
  return (
    '_events' in object && typeof object._events === 'object' && object._events !== null && 'rawListeners' in object
  )
}

function listenerDifference(
  before: ReadonlyMap<PropertyKey, readonly unknown[]>,
  after: ReadonlyMap<PropertyKey, readonly unknown[]>,
): string | undefined {
  // Node.js takes all listeners off a worker that has ended.
  if (after.size === 0) return undefined
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [then = [], now = []] = [before.get(name), after.get(name)]
    if (then.length !== now.length || then.some((listener, index) => listener !== now[index]))
      return `the listeners of \`${keptName(name as string | symbol)}\` have changed from ${then.length} to ${now.length}`
  }
  return undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Asks V8 whether it stores an object in its fast form. Always `true` for a prototype, whose form changes with its use. */
function hasFastProperties(object: object): boolean {
  if (typeof object === 'function' || Object.hasOwn(object, 'constructor')) return true
  ask ??= makeQuestion()
  return ask(object)
}

let ask: ((object: object) => boolean) | undefined

function makeQuestion(): (object: object) => boolean {
  setFlagsFromString('--allow-natives-syntax')
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the only way to ask V8 how it stores an object
  const question = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean
  // The first call compiles the question, for which the flag must be set.
  question({})
  setFlagsFromString('--no-allow-natives-syntax')
  return question
}
