import type { Message, SeamBinding } from '../seams/bus.js'
import { ChannelMessage, passageSeam, type End } from './channel-message.js'

/** An end of an IPC channel: a forked `ChildProcess`, a worker of `node:cluster`, and in the child `process` itself. */
export interface IpcEnd {
  send?(message: never, ...more: never[]): boolean
  emit(event: never, ...args: never[]): boolean
  kill(signal?: never): unknown
}

/** Whether a value is a process, with or without a channel. Its events are never those of a bus: only its messages are. */
export function isProcess(value: unknown): value is IpcEnd {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('pid' in value || 'process' in value) &&
    'kill' in value &&
    typeof value.kill === 'function' &&
    'emit' in value
  )
}

/** Whether a process has, or had, an IPC channel. */
export const hasIpc = (end: IpcEnd): boolean => typeof end.send === 'function'

/** Where a process sends to the other one. */
export function ipcSeam(end: End): SeamBinding {
  return passageSeam(end, 'send', (args, self, below) =>
    args.length === 0 || isInternal(args[0])
      ? undefined
      : new SentMessage(end, (given) => below.call.apply(self, given) as unknown, args),
  )
}

/** A message that is sent: `(message, handle, options, callback)`, all but the first optional. */
class SentMessage extends ChannelMessage {
  override readonly isUnique = false
  snapshot(): Message {
    return this.withPayload(plainCopy(this.args[0]))
  }
  /** Its sender has long gone on: what a channel that breaks says of it is heard by its callback, or by nobody. */
  forwardLate(): unknown {
    return this.call(typeof this.args.at(-1) === 'function' ? this.args : [...this.args, nobody])
  }
  override copy(): Message {
    // Its sender hears of the original.
    return this.with([this.args[0], nobody])
  }
  override answer(): unknown {
    return true
  }
  lose(): void {
    this.#callBack(null)
  }
  loseLate(): void {
    this.#callBack(Object.assign(new Error('Channel closed'), { code: 'ERR_IPC_CHANNEL_CLOSED' }))
  }
  override failCloning(error: Error): unknown {
    throw error
  }
  protected override with(args: readonly unknown[]): Message {
    return new SentMessage(this.end, this.call, args)
  }
  #callBack(error: Error | null): void {
    const callback = this.args.at(-1)
    if (typeof callback === 'function') process.nextTick(callback, error)
  }
}

/** Takes the place of a callback: without one, a process whose channel breaks emits `error`. */
const nobody = (): void => undefined

/** The messages by which Node.js runs cluster and passes handles. */
function isInternal(message: unknown): boolean {
  try {
    return (
      typeof message === 'object' &&
      message !== null &&
      'cmd' in message &&
      typeof message.cmd === 'string' &&
      message.cmd.startsWith('NODE_')
    )
  } catch {
    // It throws when it is looked at: the channel itself says what is wrong with it.
    return false
  }
}

/** How an IPC channel serialises is not visible from outside. Plain data comes out the same either way; anything else is kept by reference. */
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
    // It contains itself.
    return value
  }
}
