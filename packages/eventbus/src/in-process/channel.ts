import { ChaosError } from '@chaos/core'
import { isGetter, repeat } from '@chaos/core/authoring'
import { bindBus, type Bus, type SeamBinding, type Steps } from '../seams/bus.js'
import type { End } from './channel-message.js'
import { hasIpc, ipcSeam, isProcess, type IpcEnd } from './child-process.js'
import { dispatchSeam, isDispatching, isPort, postingSeam, watchClosing, type PortLike } from './port.js'
import { isWorker, messageEventSeam, unwrapped, type WorkerLike } from './worker.js'

/** An end of a channel of messages: a `MessagePort` (`parentPort` is one), a `BroadcastChannel`, a `Worker`, or an {@link IpcEnd}. */
export type ChannelEnd = PortLike | WorkerLike | IpcEnd

/** One end, several, or a function that returns the current ones, so that replacements are found. */
export type ChannelTarget = ChannelEnd | Iterable<ChannelEnd> | (() => ChannelEnd | Iterable<ChannelEnd> | undefined)

/** Whether a value names ends of channels. What a function returns is looked at when a fault is injected. */
export function isChannelTarget(value: unknown): value is ChannelTarget {
  if (isGetter(value) || isEnd(unwrapped(value))) return true
  return isIterable(value) && [...value].every((one) => isEnd(unwrapped(one)))
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** How often a function is asked for new ends, in ms. */
const LOOK_EVERY_MS = 20

/**
 * Binds ends of channels: worker threads, ports, child processes. What an end sends is published, what it hears is delivered; its messages are named
 * `message`, those of a `BroadcastChannel` like the channel. Nothing but messages is touched: `exit`, `error`, `online`, `messageerror`, `close` and
 * `disconnect` come as they are.
 *
 * A message that a fault keeps or loses is taken from its sender as in health: it is cloned, what moves is detached, what cannot be cloned throws. Ends
 * that a function returns later are found within 20 ms.
 */
export function bindChannel(target: ChannelTarget): Bus {
  return bindBus({
    kind: 'a channel of messages',
    clones: true,
    seams: { publish: eachEnd(target, publishSeam), delivery: eachEnd(target, deliverySeam) },
  })
}

/**
 * Binds a seam of every end, those to come included.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
function eachEnd(target: ChannelTarget, seamOf: (end: ChannelEnd, steps: Steps) => SeamBinding): SeamBinding {
  return (tap, steps) => {
    const met = new WeakSet()
    const meet = (): number => {
      const ends = openEnds(target)
      for (const end of ends) {
        if (met.has(end)) continue
        met.add(end)
        // Where the blast radius leaves the name of its messages out, an end is not touched.
        if (tap.covers(nameOf(end))) seamOf(end, steps)(tap, steps)
      }
      return ends.length
    }
    if (meet() === 0)
      throw new ChaosError(
        'CHAOS_NO_LIVE_WORKER',
        'No end of the channel is open. Wait until a worker or process has started; a process needs an IPC channel (`fork`).',
      )
    if (typeof target === 'function') repeat(steps, LOOK_EVERY_MS, () => void meet())
  }
}

function publishSeam(end: ChannelEnd, steps: Steps): SeamBinding {
  return isProcess(end) ? ipcSeam(openedEnd(end, steps)) : postingSeam(openedEnd(end, steps))
}

function deliverySeam(end: ChannelEnd, steps: Steps): SeamBinding {
  if (!isPort(end)) return messageEventSeam(openedEnd(end, steps))
  if (isDispatching(end)) return dispatchSeam(openedEnd(end, steps))
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    'Only ports of Node.js show the messages that arrive. Use `seam: "publish"` at the other end of this one.',
  )
}

/** Messages of a `BroadcastChannel` are named like the channel. */
const nameOf = (end: ChannelEnd): string => ('name' in end && typeof end.name === 'string' ? end.name : 'message')

function openedEnd(object: ChannelEnd, steps: Steps): End {
  const isClosed = isPort(object) ? watchClosing(object, steps) : () => false
  return {
    object,
    name: nameOf(object),
    subscriber: { name: 'message', identity: object },
    isGone: () => isClosed() || !isOpen(object),
  }
}

function isEnd(value: unknown): value is ChannelEnd {
  return isPort(value) || isWorker(value) || (isProcess(value) && hasIpc(value))
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

function openEnds(target: ChannelTarget): ChannelEnd[] {
  const named: unknown = typeof target === 'function' ? target() : target
  const all: readonly unknown[] = isIterable(named) && !isEnd(named) ? [...named] : [named]
  return all.map(unwrapped).filter(isEnd).filter(isOpen)
}
