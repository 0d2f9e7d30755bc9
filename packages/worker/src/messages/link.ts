import { isArrayBuffer } from 'node:util/types'
import { ChaosError } from '@chaos/core'
import { option, type AnyFunction, type HeldWork, type InjectionContext } from '@chaos/core/authoring'
import { repeat } from '../repeat.js'
import { unwrapped } from '../targets/workers.js'

/** An end that posts structured clones: a `Worker`, a `MessagePort`, `parentPort`. */
export interface PostingEnd {
  postMessage(value: unknown, ...transfer: never[]): void
}

/** An end of an IPC channel: a forked `ChildProcess`, a cluster worker, and in the child `process` itself. */
export interface SendingEnd {
  send?(message: unknown, ...more: never[]): boolean
  emit(event: string, ...args: never[]): boolean
}

type End = PostingEnd | SendingEnd

/** One end of a link, several, or a function that returns the current ones, so that replacements are found. */
export type LinkTarget = End | Iterable<End> | (() => End | Iterable<End> | undefined)

/** What a target of message faults must be, in words. */
export const LINK_TARGET =
  'a Worker, a MessagePort, a forked process, several, or a function that returns the current ones'

export const directionOption = {
  direction: option.optional(
    option.oneOf(
      ['outgoing', 'incoming', 'both'],
      'outgoing: messages that this end sends; incoming: messages that it hears; or both.',
    ),
    'both',
  ),
}
export type Direction = 'outgoing' | 'incoming'

/** A message on its way, at the end that is broken. */
export interface Passing {
  /** Also the name of the operation. */
  readonly direction: Direction
  /** Identifies this direction of this end: what must stay in order stays so within it. */
  readonly line: symbol
  /** What a predicate sees: the message, then what came with it. */
  readonly args: readonly unknown[]
  /** What the caller gets when the message goes on in health. */
  readonly accepted: unknown
  /** Lets it go on as it is. */
  readonly pass: () => unknown
  /** Takes it from its sender as posting would: cloned, transferred objects detached, a `DataCloneError` thrown here and now. */
  readonly seal: () => Sealed
  /** Whether it moves something that cannot exist twice, a port for example. */
  readonly isUnique: boolean
  /** Copies it without taking it, or tells by `undefined` that it cannot be copied. */
  readonly copy: () => Sealed | undefined
  /** Lets it fail as one that cannot be cloned: thrown at the sender, `messageerror` at the receiver. */
  readonly fail: (error: Error) => unknown
}

/** A message of its own, kept apart from whoever sent it. */
export interface Sealed {
  value: unknown
  readonly deliver: () => void
  /** Delivers it when its sender has long gone on: what a channel that breaks says of it is heard by its callback, or by nobody. */
  readonly deliverLate: () => void
  /** Loses it. Ports that travelled with it close, as their other ends would see it. */
  readonly discard: () => void
  /** How it is held: lost where its end is closed when its time comes. What a closed end throws then must not be uncaught because it comes late. */
  readonly late: Pick<HeldWork, 'on' | 'lose' | 'fail'>
}

export function isLinkTarget(value: unknown): value is LinkTarget {
  if (typeof value === 'function' || isEnd(value)) return true
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    [...(value as Iterable<unknown>)].every(isEnd)
  )
}

/** How often a function is asked for new ends, in ms. */
const LOOK_EVERY_MS = 20

/**
 * Puts `onMessage` into every link of a target, in the directions given. Ends that a function returns later are found within 20 ms.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export function interceptMessages(
  target: LinkTarget,
  direction: Direction | 'both',
  context: InjectionContext,
  onMessage: (message: Passing) => unknown,
): void {
  // A direction that the blast radius leaves out altogether is not touched.
  const covers = (one: Direction): boolean =>
    (direction === 'both' || direction === one) && context.operation(one).covers()
  const met = new WeakSet<End>()
  const meet = (): void => {
    for (const end of openEnds(target)) {
      if (met.has(end)) continue
      met.add(end)
      if (covers('outgoing')) interceptOutgoing(end, context, onMessage)
      if (covers('incoming')) interceptIncoming(end, context, onMessage)
    }
  }
  if (openEnds(target).length === 0)
    throw new ChaosError(
      'CHAOS_NO_LIVE_WORKER',
      'Expected the target to have an open end, got none. Wait until a worker has started.',
    )
  meet()
  if (typeof target === 'function') repeat(context, LOOK_EVERY_MS, meet)
}

function interceptOutgoing(end: End, context: InjectionContext, onMessage: (message: Passing) => unknown): void {
  const { patch } = context
  const line = Symbol('outgoing')
  const on = endOf(end, context)
  if ('postMessage' in end) {
    patch(
      end,
      'postMessage',
      (below) =>
        function postMessage(this: unknown, ...args: unknown[]): unknown {
          const send = (value: unknown, transfer: readonly unknown[]): unknown =>
            Reflect.apply(below.call, this, transfer.length === 0 ? [value] : [value, transfer])
          const transfer = transferOf(args[1])
          return onMessage({
            direction: 'outgoing',
            line,
            args,
            accepted: undefined,
            isUnique: !transfer.every(isArrayBuffer),
            pass: () => Reflect.apply(below.call, this, args) as unknown,
            seal: () => sealed(cloned(args[0], transfer), send, { on, fails: true }),
            copy: () => copied(args[0], (value) => send(value, []), on),
            fail: (error) => {
              throw error
            },
          })
        },
    )
  } else {
    patch(
      end,
      'send',
      (below) =>
        function send(this: unknown, ...args: unknown[]): unknown {
          if (isNodesOwn(args[0])) return Reflect.apply(below.call, this, args)
          const deliver = (value: unknown): unknown => Reflect.apply(below.call, this, [value, ...args.slice(1)])
          const deliverLate = (value: unknown): unknown =>
            Reflect.apply(below.call, this, [
              value,
              ...args.slice(1),
              ...(typeof args.at(-1) === 'function' ? [] : [nobody]),
            ])
          return onMessage({
            direction: 'outgoing',
            line,
            args,
            accepted: true,
            isUnique: false,
            pass: () => Reflect.apply(below.call, this, args) as unknown,
            seal: () =>
              sealed({ value: plainCopy(args[0]), transfer: [] }, deliver, {
                on,
                fails: true,
                deliverLate,
                tell: (error) => answerCallback(args, error),
              }),
            copy: () =>
              sealed(
                { value: plainCopy(args[0]), transfer: [] },
                (value) => (isOpen(end) ? Reflect.apply(below.call, this, [value, nobody]) : undefined),
                { on, fails: true },
              ),
            fail: (error) => {
              throw error
            },
          })
        },
    )
  }
}

function interceptIncoming(end: End, context: InjectionContext, onMessage: (message: Passing) => unknown): void {
  const { patch } = context
  const line = Symbol('incoming')
  const on = endOf(end, context)
  if (isPort(end)) {
    patch(
      end,
      DISPATCH,
      (below) =>
        function dispatch(this: Record<symbol, unknown>, ...args: unknown[]): unknown {
          const [data, type, ...more] = args
          if (type !== 'message') return Reflect.apply(below.call, this, args)
          const ports = this[RECEIVING]
          const hear = (value: unknown, as = 'message'): unknown => {
            // What arrived with the message is where Node.js looks for it while it is heard.
            const before = this[RECEIVING]
            this[RECEIVING] = ports
            try {
              return Reflect.apply(below.call, this, [value, as, ...more])
            } finally {
              this[RECEIVING] = before
            }
          }
          return onMessage({
            direction: 'incoming',
            line,
            args: [data],
            accepted: undefined,
            isUnique: Array.isArray(ports) && ports.length > 0,
            pass: () => Reflect.apply(below.call, this, args) as unknown,
            seal: () =>
              sealed({ value: data, transfer: Array.isArray(ports) ? ports : [] }, (value) => hear(value), { on }),
            copy: () => copied(data, hear, on),
            fail: (error) => hear(error, 'messageerror'),
          })
        },
    )
  } else {
    patch(
      end,
      'emit',
      (below) =>
        function emit(this: { listenerCount?(event: string): number }, ...args: unknown[]): unknown {
          const [event, data, ...more] = args
          if (event !== 'message') return Reflect.apply(below.call, this, args)
          const hear = (value: unknown): unknown => Reflect.apply(below.call, this, ['message', value, ...more])
          return onMessage({
            direction: 'incoming',
            line,
            args: args.slice(1),
            accepted: (this.listenerCount?.('message') ?? 0) > 0,
            isUnique: false,
            pass: () => Reflect.apply(below.call, this, args) as unknown,
            seal: () => sealed({ value: data, transfer: [] }, hear, { on }),
            copy: () => copied(data, hear, on),
            fail: (error) => Reflect.apply(below.call, this, ['messageerror', error]) as unknown,
          })
        },
    )
  }
}

/** How Node.js hands a message to a port's listeners, whichever way they were added; registered symbols, the same on 18 to 26. */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch')
const RECEIVING = Symbol.for('nodejs.internal.kCurrentlyReceivingPorts')

const isPort = (end: object): boolean => typeof (end as Record<symbol, unknown>)[DISPATCH] === 'function'

function isEnd(value: unknown): value is End {
  if (typeof value !== 'object' || value === null) return false
  if ('postMessage' in value && typeof value.postMessage === 'function') return true
  return 'send' in value && typeof value.send === 'function' && 'emit' in value
}

/** A thread that has exited and a channel that is closed hear nothing any more. A port does not tell. */
function isOpen(end: object): boolean {
  const { threadId, connected, isConnected } = end as {
    readonly threadId?: unknown
    readonly connected?: unknown
    readonly isConnected?: () => unknown
  }
  return threadId !== -1 && connected !== false && isConnected?.call(end) !== false
}

/** An end, as what messages are held on. */
function endOf(end: End, context: InjectionContext): NonNullable<HeldWork['on']> {
  const isClosed = isPort(end) ? watchClosing(end as Closing, context) : () => false
  return { isGone: () => isClosed() || !isOpen(end) }
}

interface Closing {
  addEventListener?(type: 'close', listener: () => void): void
  removeEventListener?(type: 'close', listener: () => void): void
}

/** Whether a port was closed since, at either end. A `BroadcastChannel` has no event that says so. */
function watchClosing(port: Closing, { defer, patch }: InjectionContext): () => boolean {
  let isClosed = false
  const onClose = (): void => {
    isClosed = true
  }
  port.addEventListener?.('close', onClose)
  defer(() => port.removeEventListener?.('close', onClose))
  if (port instanceof BroadcastChannel) {
    patch(
      port,
      'close',
      (below) =>
        function close(this: unknown, ...args: unknown[]): unknown {
          isClosed = true
          return Reflect.apply(below.call, this, args) as unknown
        },
    )
  }
  return () => isClosed
}

function openEnds(target: LinkTarget): End[] {
  const named = typeof target === 'function' ? target() : target
  return named === undefined
    ? []
    : (isEnd(named) ? [named] : [...named]).map((end) => unwrapped(end) as End).filter(isOpen)
}

/** Hears what becomes of a message whose sender hears nothing of it: without a callback a process emits `error`. */
const nobody = (): void => undefined

/** The messages by which Node.js runs cluster and passes handles. */
function isNodesOwn(message: unknown): boolean {
  try {
    return (
      typeof message === 'object' &&
      message !== null &&
      'cmd' in message &&
      typeof message.cmd === 'string' &&
      message.cmd.startsWith('NODE_')
    )
  } catch {
    // It throws when it is looked at: what becomes of it is for whoever sends it on to say.
    return false
  }
}

function transferOf(given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given
  return typeof given === 'object' && given !== null && 'transfer' in given && Array.isArray(given.transfer)
    ? given.transfer
    : []
}

interface Parts {
  readonly value: unknown
  readonly transfer: readonly unknown[]
}

/** Clones a message and, in step with it, the list of what moves: only then can it be posted on. */
const cloned = (value: unknown, transfer: readonly unknown[]): Parts =>
  structuredClone({ value, transfer }, { transfer: transfer as never[] })

interface Sealing {
  /** The end that it goes through. */
  readonly on: NonNullable<HeldWork['on']>
  /** Whether it goes into the end, which may throw, and not to listeners of the application. */
  readonly fails?: boolean
  /** Default: as at once. */
  readonly deliverLate?: (value: unknown) => unknown
  /** Tells its sender what became of a message that does not go on. */
  readonly tell?: (error: Error | null) => void
}

function sealed(
  { value, transfer }: Parts,
  deliver: (value: unknown, transfer: readonly unknown[]) => unknown,
  { on, fails = false, deliverLate, tell }: Sealing,
): Sealed {
  const closeMoved = (): void => {
    for (const one of transfer) (one as { close?: AnyFunction }).close?.call(one)
  }
  const lose = (): void => {
    closeMoved()
    tell?.(Object.assign(new Error('Channel closed'), { code: 'ERR_IPC_CHANNEL_CLOSED' }))
  }
  const message: Sealed = {
    late: { on, lose, fail: fails ? lose : undefined },
    value,
    deliver: () => void deliver(message.value, transfer),
    deliverLate: () => void (deliverLate ?? ((value) => deliver(value, transfer)))(message.value),
    discard() {
      closeMoved()
      tell?.(null)
    },
  }
  return message
}

function copied(value: unknown, deliver: (value: unknown) => unknown, on: Sealing['on']): Sealed | undefined {
  try {
    return sealed({ value: structuredClone(value), transfer: [] }, deliver, { on })
  } catch {
    return undefined
  }
}

/** What an IPC channel serialises is not told from outside; plain data is the same either way, the rest is kept by reference. */
function plainCopy(value: unknown): unknown {
  const isPlain = (part: unknown): boolean =>
    part === null ||
    ['string', 'boolean', 'number'].includes(typeof part) ||
    (typeof part === 'object' &&
      (Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype) &&
      Object.values(part).every(isPlain))
  try {
    return isPlain(value) ? structuredClone(value) : value
  } catch {
    // It contains itself: too deep to look through.
    return value
  }
}

/** Whoever sent a message that a fault loses hears nothing of it: its callback is called as if it had been written, or with what a closed channel says. */
function answerCallback(args: readonly unknown[], error: Error | null): void {
  const callback = args.at(-1)
  if (typeof callback === 'function') process.nextTick(callback, error)
}
