import { isArrayBuffer } from 'node:util/types'
import type { Message, SeamBinding, Steps } from '../seams/bus.js'
import { replaced } from '../seams/method-seam.js'
import { opened } from './envelope.js'
import { ChannelMessage, passageSeam, type Call, type End } from './channel-message.js'
import { contentOf, DISPATCH, isEventTarget, withContent, type EventTargetLike } from './event-target.js'

/** An end that posts structured clones: a `MessagePort`, a `BroadcastChannel` or a `Worker`. */
export interface PostingEnd {
  postMessage(message: never, transfer?: never): void
}

/** A `BroadcastChannel` or `MessagePort`. */
export interface PortLike extends EventTargetLike, PostingEnd {}

export function isPosting(value: unknown): value is PostingEnd {
  return (
    typeof value === 'object' && value !== null && 'postMessage' in value && typeof value.postMessage === 'function'
  )
}

export function isPort(value: unknown): value is PortLike {
  return isPosting(value) && isEventTarget(value)
}

/** The publish seam of an end: `postMessage`. */
export function postingSeam(end: End): SeamBinding {
  return passageSeam(end, 'postMessage', (args, self, below) =>
    // Without an argument, Node.js throws its own error.
    args.length === 0 ? undefined : new PostedMessage(end, (given) => below.call.apply(self, given) as unknown, args),
  )
}

/** The property of a port that holds the received ports of a message while its listeners run. */
const RECEIVING = Symbol.for('nodejs.internal.kCurrentlyReceivingPorts')

/** Whether arriving messages of a port are visible; they are on the ports of Node.js only. */
export const isDispatching = (port: object): boolean => DISPATCH in port

/** The delivery seam of a port, for all kinds of listeners. */
export function dispatchSeam(end: End): SeamBinding {
  return passageSeam(end, DISPATCH, ([value, type, ...more], self, below) => {
    if (type !== 'message') return undefined
    const { message, scope } = opened(value)
    const args = [message, type, ...more]
    const call: Call = (given) => below.call.apply(self, given) as unknown
    const dispatched = new DispatchedMessage(end, call, args, self)
    dispatched.scope = scope
    return dispatched
  })
}

/** A posted message: `(message, transfer)`. */
class PostedMessage extends ChannelMessage {
  override get isUnique(): boolean {
    return !transferOf(this.args[1]).every(isArrayBuffer)
  }
  snapshot(): Message {
    const transfer = transferOf(this.args[1])
    if (transfer.length === 0) return this.with([structuredClone(this.args[0])])
    // Cloned together with the transfer list, so that message and list refer to the same objects. Array buffers now
    // belong to the fault; posting copies them.
    const own = structuredClone({ message: this.args[0], transfer }, { transfer: transfer as never[] })
    const moving = own.transfer.filter((one) => !isArrayBuffer(one))
    return this.with(moving.length === 0 ? [own.message] : [own.message, moving])
  }
  override copy(): Message {
    // Posting clones the message.
    return this.with([this.args[0]])
  }
  /** Closes the ports in a lost message, so that their other ends get `close`. */
  lose(): void {
    closeAll(transferOf(this.args[1]))
  }
  loseLate(): void {
    this.lose()
  }
  override failCloning(error: Error): unknown {
    throw error
  }
  protected override with(args: readonly unknown[]): Message {
    return new PostedMessage(this.end, this.call, args)
  }
}

/** A message that a port delivers: `(message, type)`, or `(event, type, event)` of a `BroadcastChannel`. */
class DispatchedMessage extends ChannelMessage {
  readonly #port: object
  readonly #ports: readonly unknown[]

  constructor(end: End, call: Call, args: readonly unknown[], port: object, ports = receivedPorts(port)) {
    super(end, call, args)
    this.#port = port
    this.#ports = ports
  }

  override get payload(): unknown {
    return this.#event === undefined ? this.args[0] : contentOf(this.#event)
  }
  override get isUnique(): boolean {
    return this.#ports.length > 0
  }
  override forward(): unknown {
    if (this.#ports.length === 0) return this.call(this.args)
    // Node.js reads the received ports from this property while the listeners run.
    const before: unknown = Reflect.get(this.#port, RECEIVING)
    Reflect.set(this.#port, RECEIVING, this.#ports)
    try {
      return this.call(this.args)
    } finally {
      Reflect.set(this.#port, RECEIVING, before)
    }
  }
  override withPayload(payload: unknown): Message {
    return this.with(
      this.#event === undefined
        ? replaced(this.args, 0, payload)
        : replaced(this.args, 2, withContent(this.#event, payload)),
    )
  }
  override copy(): Message {
    return this.#event === undefined ? super.copy() : this
  }
  lose(): void {
    closeAll(this.#ports)
  }
  loseLate(): void {
    this.lose()
  }
  override failCloning(error: Error): unknown {
    return this.call([error, 'messageerror', ...this.args.slice(2)])
  }
  protected override with(args: readonly unknown[]): Message {
    return new DispatchedMessage(this.end, this.call, args, this.#port, this.#ports)
  }
  /** The event of a `BroadcastChannel`; a `MessagePort` makes its event itself. */
  get #event(): Event | undefined {
    return this.args[2] as Event | undefined
  }
}

/**
 * Watches whether either end of a port closes. A `BroadcastChannel` emits no `close` event, so its `close` is patched.
 */
export function watchClosing(port: PortLike, { defer, patch }: Steps): () => boolean {
  let isClosed = false
  const onClose = (): void => {
    isClosed = true
  }
  const heard = port as unknown as EventTarget
  heard.addEventListener('close', onClose)
  defer(() => heard.removeEventListener('close', onClose))
  if (port instanceof BroadcastChannel) {
    patch(
      port,
      'close',
      (below) =>
        function close(this: unknown, ...args: unknown[]): unknown {
          isClosed = true
          return below.call.apply(this, args) as unknown
        },
    )
  }
  return () => isClosed
}

function receivedPorts(port: object): readonly unknown[] {
  const ports: unknown = Reflect.get(port, RECEIVING)
  return Array.isArray(ports) ? ports : []
}

function transferOf(given: unknown): readonly unknown[] {
  const list: unknown = typeof given === 'object' && given !== null && 'transfer' in given ? given.transfer : given
  return Array.isArray(list) ? list : []
}

function closeAll(moved: readonly unknown[]): void {
  for (const one of moved) {
    const { close } = one as { readonly close?: unknown }
    if (typeof close === 'function') Reflect.apply(close, one, [])
  }
}
