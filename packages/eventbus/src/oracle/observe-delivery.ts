import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { ChaosError, inject, LIFE_CYCLE_CHANNEL, type Clock, type Injection, type JournalEntry } from '@chaos/core'
import {
  bytesOf,
  checkOptions,
  defineFault,
  fieldOf,
  isBytes,
  MAX_TIMER_MS,
  option,
  type OptionsOutput,
  optionsSchema,
  printable,
  readSafely,
  systemClock,
} from '@chaos/core/authoring'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { EventName, Message, Seam } from '../seams/bus.js'
import { ANYONE, Ledger, type Guarantee, type Violation } from './ledger.js'

const schema = optionsSchema({
  idAt: option.optional(
    option.text('Path of the field that tells one message from another: id. Default: its whole payload.'),
  ),
  keyAt: option.optional(
    option.text('Path of the field within whose values order matters: customer. Default: the name of the message.'),
  ),
  maxLagMs: option.optional(option.durationMs('How long a message may take, in ms.'), 1_000),
  subscribers: option.optional(
    option.names('Who should get every message, by name, where a bus cannot tell when it is sent: beyond a broker.'),
  ),
  messages: option.optional(
    option.count('How many messages are remembered at most; the oldest are forgotten, and judged no more.', 1),
    100_000,
  ),
})

/** Options of {@link observeDelivery}. */
export interface ObserveDeliveryOptions {
  /** Path of the field that tells one message from another: `id`. Default: its whole payload, objects by identity. */
  readonly idAt?: string | undefined
  /** Path of the field within whose values order matters: `customer`. Default: the name of the message. */
  readonly keyAt?: string | undefined
  /** How long a message may take, in ms. Default 1,000. */
  readonly maxLagMs?: number | undefined
  /**
   * Names of those who should get every message, where a bus cannot tell when it is sent: beyond a broker. Default: those who listen then, as far as the
   * bus knows; else anyone.
   */
  readonly subscribers?: string | readonly string[] | undefined
  /** How many messages are remembered at most; the oldest are forgotten, and judged no more. Default 100,000. */
  readonly messages?: number | undefined
}

/** What was sent and what arrived, so far. */
export interface Observation {
  readonly sent: number
  /** Deliveries per subscriber; `the subscriber`, where a bus cannot tell them apart. */
  readonly delivered: Readonly<Record<string, number>>
  /** Messages that were forgotten, since more than `messages` came. */
  readonly forgotten: number
  /** The longest time from sending to arrival, in ms. */
  readonly maxLagMs: number
}

/** Watches a bus. */
export interface DeliveryObserver {
  readonly observation: Observation
  /**
   * Judges a guarantee by what has happened until now. `at-least-once` and `exactly-once` take a message that is still under way for lost:
   * judge them when the bus is quiet.
   *
   * @returns The first message that violates it, or `undefined`.
   */
  violation(guarantee: Guarantee): Violation | undefined
  /** @throws ChaosError `CHAOS_DELIVERY_VIOLATED` for the first of these guarantees that is violated. */
  assert(...guarantees: readonly Guarantee[]): void
  /** A probe for an experiment: whether the guarantee holds. */
  probe(guarantee: Guarantee): () => boolean
  /** Records a message that no seam shows, for example one that was sent by another process. */
  sent(name: EventName, payload: unknown): void
  /** Records a delivery that no seam shows, or an effect: call it in a consumer, after it has recognised repetitions. */
  received(name: EventName, payload: unknown, subscriber?: string): void
  /** Stops watching; the bus is then as it was found. What was seen can still be judged. */
  stop(): Promise<void>
}

/**
 * Records what is sent on a bus and what arrives at each of its subscribers, and judges the guarantee that the bus is to keep.
 *
 * Observe first, then arm faults: arrivals are then recorded closest to the listeners, beneath every fault. Sending is recorded above every fault, also
 * above those that are armed later.
 *
 * @param how.clock Where time comes from. Default: the real clock.
 * @throws ChaosError `CHAOS_INVALID_OPTION`, and whatever `inject` throws
 */
export async function observeDelivery(
  target: BusTarget,
  given: ObserveDeliveryOptions = {},
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<DeliveryObserver> {
  const options = checkOptions(schema, given, 'observeDelivery')
  const ledger = new Ledger(options)
  const expected = options.subscribers === undefined ? undefined : [options.subscribers].flat()
  const { seams, watchListeners } = busOf(target)
  const delivery =
    seams.delivery === undefined
      ? undefined
      : await inject(watchSeam({ seam: 'delivery', record: recordArrival }), target, HOW)
  const unwatch = watchListeners?.(recordArrival)
  const left: Promise<unknown>[] = []
  let isStopped = false
  let sending = seams.publish === undefined ? undefined : watchSending()
  await sending?.injection

  /** Lays a watch; it records as long as it is on. */
  function watchSending(): { isOn: boolean; readonly injection: Promise<Injection> } {
    const watch = { isOn: true }
    const record = (message: Message): void => {
      if (watch.isOn) recordSending(message)
    }
    return Object.assign(watch, { injection: inject(watchSeam({ seam: 'publish', record }), target, HOW) })
  }
  function recordSending(message: Message): void {
    send(
      message.name,
      message.payload,
      expected ?? message.deliveries?.().map(({ subscriber }) => subscriber?.name ?? ANYONE),
    )
  }
  function recordArrival(message: Message): void {
    for (const { name, payload, subscriber } of message.deliveries?.() ?? [message])
      arrive(name, payload, subscriber?.name)
  }
  const send = (name: EventName, payload: unknown, expected?: readonly string[]): void =>
    ledger.send(name, idOf(payload, options), keyOf(name, payload, options), clock.now(), expected)
  const arrive = (name: EventName, payload: unknown, subscriber = ANYONE): void =>
    ledger.arrive(name, idOf(payload, options), keyOf(name, payload, options), clock.now(), subscriber)

  /** A fault that was armed stands above the watch; the watch moves on top of it. */
  const onArmed = (published: unknown): void => {
    const entry = published as JournalEntry
    // The fault is laid in this very step, and the watch in the next.
    if (entry.type === 'armed' && entry.injection.fault !== WATCH) queueMicrotask(moveUp)
  }
  const moveUp = (): void => {
    if (isStopped || sending === undefined) return
    const below = sending
    sending = watchSending()
    below.isOn = false
    left.push(below.injection.then((injection) => injection.rollback()))
  }
  subscribe(LIFE_CYCLE_CHANNEL, onArmed)

  return {
    get observation() {
      const { sent, delivered, forgotten, maxLagMs } = ledger
      return { sent, delivered: Object.fromEntries(delivered), forgotten, maxLagMs }
    },
    violation: (guarantee) => ledger.violation(guarantee, clock.now()),
    assert(...guarantees) {
      for (const guarantee of guarantees) {
        const violation = ledger.violation(guarantee, clock.now())
        if (violation !== undefined) throw violated(violation)
      }
    },
    probe: (guarantee) => () => ledger.violation(guarantee, clock.now()) === undefined,
    sent: (name, payload) => send(name, payload),
    received: arrive,
    async stop() {
      unsubscribe(LIFE_CYCLE_CHANNEL, onArmed)
      unwatch?.()
      isStopped = true
      await delivery?.rollback()
      await (await sending?.injection)?.rollback()
      await Promise.all(left)
    },
  }
}

const WATCH = 'eventbus/watch-seam'
const HOW = { leaseMs: MAX_TIMER_MS } as const

/** Lets every message pass and shows it: a fault that breaks nothing, so that it is laid and taken back as faults are. */
const watchSeam = defineFault({
  name: WATCH,
  kind: 'standing',
  summary: 'Watches a seam.',
  options: {
    seam: option.oneOf(['publish', 'delivery'], 'Which seam.'),
    record: option.func<(message: Message) => void>('Gets each message.'),
  },
  target: busTarget,
  inject(
    target: BusTarget,
    { seam, record }: { readonly seam: Seam; readonly record: (message: Message) => void },
    context,
  ) {
    const take = (message: Message): unknown => {
      record(message)
      return message.forward()
    }
    busOf(target).seams[seam]?.({ covers: () => true, take }, context)
  },
})

function idOf(payload: unknown, { idAt }: OptionsOutput<typeof schema>): unknown {
  const id = idAt === undefined ? payload : readAt(payload, idAt, payload)
  // What was sent as text may arrive as bytes.
  return isBytes(id) ? bytesOf(id).toString('utf8') : id
}

function keyOf(name: EventName, payload: unknown, { keyAt }: OptionsOutput<typeof schema>): unknown {
  return keyAt === undefined ? name : readAt(payload, keyAt, name)
}

/** A field; where reading it throws, which must not reach the application's own call, something else that tells the message from others. */
function readAt(payload: unknown, path: string, otherwise: unknown): unknown {
  try {
    return fieldOf(payload, path)
  } catch {
    return otherwise
  }
}

/** The id of a message as an error shows it. The application may identify its messages by any value. */
const shown = (id: unknown): string =>
  readSafely(() => printable(typeof id === 'object' && id !== null ? JSON.stringify(id) : id, { max: 1_000 }))

function violated({ guarantee, subscriber, name, id, reason }: Violation): ChaosError {
  return new ChaosError(
    'CHAOS_DELIVERY_VIOLATED',
    `Expected ${guarantee} delivery of \`${printable(name)}\` to ${printable(subscriber)}; the message with the id ${shown(id)} ${reason}. Look at what stands between publisher and subscriber, or declare a weaker guarantee.`,
  )
}
