import { ChaosError } from '@chaos/core'
import { askedOf, isGetter, repeat } from '@chaos/core/authoring'
import { bindBus, type Bus, type SeamBinding, type Steps } from '../seams/bus.js'
import type { End } from './channel-message.js'
import { hasIpc, ipcSeam, isProcess, type IpcEnd } from './child-process.js'
import { dispatchSeam, isDispatching, isPort, postingSeam, watchClosing, type PortLike } from './port.js'
import { isWorker, messageEventSeam, unwrapped, type WorkerLike } from './worker.js'

/**
 * An end of a message channel: a `MessagePort` (such as `parentPort`), a `BroadcastChannel`, a `Worker`, or an {@link
 * IpcEnd}.
 */
export type ChannelEnd = PortLike | WorkerLike | IpcEnd

/** One end, several ends, or a function that returns the current ends and so includes replacements. */
export type ChannelTarget = ChannelEnd | Iterable<ChannelEnd> | (() => ChannelEnd | Iterable<ChannelEnd> | undefined)

/**
 * Whether a value is an end of a channel, several, or a function. The result of a function is checked when a fault is
 * injected.
 */
export function isChannelTarget(value: unknown): value is ChannelTarget {
  if (isGetter(value) || isEnd(unwrapped(value))) return true
  return isIterable(value) && [...value].every((one) => isEnd(unwrapped(one)))
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** Time between two calls of a target function, in ms. */
const LOOK_EVERY_MS = 20

/**
 * Binds ends of message channels: worker threads, ports and child processes. `publish` is what an end sends, `delivery`
 * what it receives. The name of a message is `message`, or the name of its `BroadcastChannel`. Faults affect only messages:
 * `exit`, `error`, `online`, `messageerror`, `close` and `disconnect` are never affected.
 *
 * A message that a fault holds or drops leaves its sender as it does without a fault: the value is cloned, transferred
 * objects are detached, and a value that cannot be cloned throws. New ends that a function returns are found within 20 ms.
 */
export function bindChannel(target: ChannelTarget): Bus {
  return bindBus({
    kind: 'a message channel',
    clones: true,
    seams: { publish: eachEnd(target, publishSeam), delivery: eachEnd(target, deliverySeam) },
  })
}

/**
 * Binds a seam of every current and future end.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open.
 */
function eachEnd(target: ChannelTarget, seamOf: (end: ChannelEnd, steps: Steps) => SeamBinding): SeamBinding {
  return (tap, steps) => {
    const met = new WeakSet()
    const meet = (): number => {
      const ends = openEnds(target)
      for (const end of ends) {
        if (met.has(end)) continue
        met.add(end)
        // An end whose message name is outside the blast radius is not patched.
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
    'Arriving messages are visible only on the ports of Node.js. Use `seam: "publish"` on the other end of this channel.',
  )
}

/** The name of the messages of an end: the name of a `BroadcastChannel`, otherwise `message`. */
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

/** Whether a thread still runs and a channel is still open. A port does not expose its state and counts as open. */
function isOpen(end: object): boolean {
  const { threadId, connected, isConnected } = end as {
    readonly threadId?: unknown
    readonly connected?: unknown
    readonly isConnected?: () => unknown
  }
  return threadId !== -1 && connected !== false && isConnected?.call(end) !== false
}

function openEnds(target: ChannelTarget): ChannelEnd[] {
  const named = askedOf(target, 'the current ends of the channel')
  const all: readonly unknown[] = isIterable(named) && !isEnd(named) ? [...named] : [named]
  return all.map(unwrapped).filter(isEnd).filter(isOpen)
}
