import type { Message, SeamBinding } from '../seams/bus.js'
import { ChannelMessage, passageSeam, type End } from './channel-message.js'

/** An end of an IPC channel: a forked `ChildProcess`, a worker of `node:cluster`, or `process` in a forked child. */
export interface IpcEnd {
  send?(message: never, ...more: never[]): boolean
  emit(event: never, ...args: never[]): boolean
  kill(signal?: never): unknown
}

/** Whether a value is a process, with or without a channel. Faults affect its messages, never its other events. */
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

/** The publish seam of a process: `send`. */
export function ipcSeam(end: End): SeamBinding {
  return passageSeam(end, 'send', (args, self, below) =>
    args.length === 0 || isInternal(args[0])
      ? undefined
      : new SentMessage(end, (given) => below.call.apply(self, given) as unknown, args),
  )
}

/** A sent message: `(message, handle, options, callback)`. All arguments but the first are optional. */
class SentMessage extends ChannelMessage {
  override readonly isUnique = false
  snapshot(): Message {
    return this.withPayload(plainCopy(this.args[0]))
  }
  /** The sender has continued, so an error of the channel goes to the callback only, or is ignored. */
  forwardLate(): unknown {
    return this.call(typeof this.args.at(-1) === 'function' ? this.args : [...this.args, ignore])
  }
  override copy(): Message {
    // The callback of the sender belongs to the original.
    return this.with([this.args[0], ignore])
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

/** Stands in for a missing callback, without which a process with a broken channel emits `error`. */
const ignore = (): void => undefined

/** Whether Node.js itself sends the message, for `node:cluster` or to pass handles. */
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
    // A message that cannot be read: the channel reports the error.
    return false
  }
}

/**
 * Copies plain data, which every IPC serialization transports unchanged. The serialization of a channel is private, so
 * any other value is kept by reference.
 */
function plainCopy(value: unknown): unknown {
  // A message may share its parts, so that walking all ways to them would not end.
  const seen = new Set<object>()
  const isPlain = (part: unknown): boolean => {
    if (part === null || ['string', 'boolean', 'number'].includes(typeof part)) return true
    if (typeof part !== 'object') return false
    if (seen.has(part)) return true
    seen.add(part)
    return (
      (Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype) && Object.values(part).every(isPlain)
    )
  }
  try {
    return isPlain(value) ? structuredClone(value) : value
  } catch {
    // A getter that throws, or very deep nesting.
    return value
  }
}
