import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads'
import { ChaosError, currentScope, inject, isChaosError, type Clock, type Injection } from '@chaos/core'
import {
  checkOptions,
  defineFault,
  keepScopesOpen,
  MAX_TIMER_MS,
  option,
  optionsSchema,
  systemClock,
} from '@chaos/core/authoring'
import { bindChannel, type ChannelEnd } from '../in-process/channel.js'
import { sealed } from '../in-process/envelope.js'
import { isWorker, type WorkerLike } from '../in-process/worker.js'
import type { PortLike } from '../in-process/port.js'
import { onBehalfOfSender } from '../seams/message-scope.js'
import { Pairing } from './pairing.js'

const schema = optionsSchema({
  name: option.optional(
    option.text('Name that both ends of a port have. A worker and its `parentPort` need none.', 200),
  ),
})

/** Options of {@link carryScopes}. */
export interface CarryScopesOptions {
  /** The name of the pair, the same at both ends of a `MessagePort`. A worker and its `parentPort` find each other without one. */
  readonly name?: string
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
}

/** The carrying of scopes at one end of a channel. */
export interface CarriedScopes {
  /** Resolves when the other end carries scopes too. From then on, messages carry them. */
  readonly paired: Promise<void>
  /** Takes everything back, once all messages have arrived that carry a scope. */
  stop(): Promise<void>
}

/**
 * Carries scopes in the messages between threads: those of a `Worker` and its `parentPort`, or of two ports.
 *
 * Call it at both ends. A message then travels in an envelope with its scope, and listeners get the message, in that scope.
 * Until the other end has called it, and once that has stopped, messages travel as they are. `stopAll()` ends it too; until `stop()`
 * is called, it is in force again for the next fault that needs scopes, unless the thread is gone. Do not use it on a port that is
 * read by `receiveMessageOnPort`, which no fault and no observer can see.
 *
 * @param end A `Worker`, `parentPort` in that worker, or a `MessagePort` with a `name`.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for a port without a name, `CHAOS_NO_LIVE_WORKER` if the worker is gone, or an error
 *   of `inject`.
 */
export async function carryScopes(
  end: PortLike | WorkerLike,
  { clock = systemClock, ...given }: CarryScopesOptions = {},
): Promise<CarriedScopes> {
  const { name = nameOf(end) } = checkOptions(schema, given, 'carryScopes')
  let setPaired: () => void = () => undefined
  const paired = new Promise<void>((resolve) => (setPaired = resolve))
  const carry = async (): Promise<Injection> => {
    const pairing = new Pairing(name, () => new BroadcastChannel('@chaos/eventbus.scopes'), clock)
    void pairing.paired.then(setPaired)
    try {
      return await inject(carryInMessages({ pairing }), end, { leaseMs: MAX_TIMER_MS, clock })
    } catch (error) {
      pairing.close()
      throw error
    }
  }
  const kept = await keepScopesOpen(carry, () => carry().catch(unlessGone))
  return { paired, stop: () => kept.stop() }
}

/** There is nothing to be carried to a thread that is gone. */
function unlessGone(error: unknown): undefined {
  if (!isChaosError(error, 'CHAOS_NO_LIVE_WORKER')) throw error
}

function nameOf(end: PortLike | WorkerLike): string {
  if (isWorker(end)) return `thread ${end.threadId}`
  if (end === (parentPort as unknown)) return `thread ${threadId}`
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'The two ends of a port cannot find each other. Pass the same `name` at both ends.',
  )
}

/** A fault that breaks nothing. As a fault it is patched in and rolled back like any other. */
const carryInMessages = defineFault({
  name: 'eventbus/carry-scopes',
  kind: 'standing',
  summary: 'Carries scopes in the messages of a channel.',
  options: { pairing: option.live<Pairing>((value) => value instanceof Pairing, 'a pairing', 'Knows the other end.') },
  target: {
    expects: 'a worker thread or a message port',
    accepts: (value) => typeof value === 'object' && value !== null && 'postMessage' in value,
  },
  inject(end: ChannelEnd, { pairing }, context) {
    const { publish, delivery } = bindChannel(end).seams
    context.defer(() => pairing.close())
    delivery?.({ covers: () => true, take: (message) => onBehalfOfSender(message, () => message.forward()) }, context)
    // Undone before the layer above: what is on its way must still be taken out of its envelope.
    context.defer(() => pairing.leave())
    publish?.(
      {
        covers: () => true,
        take(message) {
          const scope = pairing.isPaired ? currentScope() : undefined
          if (scope === undefined) return message.forward()
          const answer = message.withPayload(sealed(pairing.id, scope, message.payload)).forward()
          pairing.sent()
          return answer
        },
      },
      context,
    )
    pairing.begin()
  },
})
