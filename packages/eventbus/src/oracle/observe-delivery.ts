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
  idAt: option.optional(option.text('Path of the field that identifies a message: id. Default: the whole payload.')),
  keyAt: option.optional(
    option.text('Path of the field whose equal values must stay in order: customer. Default: the name of the message.'),
  ),
  maxLagMs: option.optional(option.durationMs('The longest allowed time from sending to arrival, in ms.'), 1_000),
  subscribers: option.optional(
    option.names(
      'Names of the subscribers that must get every message, for a bus that does not know them at publish (a broker).',
    ),
  ),
  messages: option.optional(
    option.count('The most messages to remember; the oldest are forgotten and no longer judged.', 1),
    100_000,
  ),
})

/** Options of {@link observeDelivery}. */
export interface ObserveDeliveryOptions {
  /**
   * Path of the field that identifies a message: `id`. Default: the whole payload; objects are compared by identity.
   */
  readonly idAt?: string | undefined
  /** Path of the field whose equal values must stay in order: `customer`. Default: the name of the message. */
  readonly keyAt?: string | undefined
  /** The longest allowed time from sending to arrival, in ms. Default 1,000. */
  readonly maxLagMs?: number | undefined
  /**
   * Names of the subscribers that must get every message, for a bus that does not know them at publish (a broker). Default:
   * the listeners at the time of sending, if the bus knows them; otherwise any subscriber.
   */
  readonly subscribers?: string | readonly string[] | undefined
  /** The most messages to remember. The oldest are forgotten and no longer judged. Default 100,000. */
  readonly messages?: number | undefined
}

/** The messages sent and delivered so far. */
export interface Observation {
  readonly sent: number
  /** Deliveries per subscriber. The key is `the subscriber` if the bus does not identify its subscribers. */
  readonly delivered: Readonly<Record<string, number>>
  /** Messages that were forgotten because there were more than `messages`. */
  readonly forgotten: number
  /** The longest time from sending to arrival, in ms. */
  readonly maxLagMs: number
}

/** The observer of a bus. */
export interface DeliveryObserver {
  readonly observation: Observation
  /**
   * Judges a guarantee by all messages so far. For `at-least-once` and `exactly-once`, a message in transit counts as lost, so
   * judge them when the bus is idle.
   *
   * @returns The first message that violates the guarantee, or `undefined`.
   */
  violation(guarantee: Guarantee): Violation | undefined
  /** @throws ChaosError `CHAOS_DELIVERY_VIOLATED` when one of these guarantees is violated. Reports the first. */
  assert(...guarantees: readonly Guarantee[]): void
  /** Returns a probe for an experiment: whether the guarantee holds. */
  probe(guarantee: Guarantee): () => boolean
  /** Records a message that no seam shows, for example one from another process. */
  sent(name: EventName, payload: unknown): void
  /** Records a delivery that no seam shows, or an effect: call it in a consumer, after its deduplication. */
  received(name: EventName, payload: unknown, subscriber?: string): void
  /** Stops observing and restores the bus. The recorded messages can still be judged. */
  stop(): Promise<void>
}

/**
 * Records the messages that are sent on a bus and the deliveries to each subscriber, and judges delivery guarantees.
 *
 * Observe first, then arm faults: arrivals are then recorded below every fault, closest to the listeners. Sending is recorded
 * above every fault, including faults that are armed later.
 *
 * @param how.clock The source of time. Default: the system clock.
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is invalid, and all errors of `inject`.
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
      : await inject(watchSeam({ seam: 'delivery', record: recordArrival }), target, WATCH_OPTIONS)
  const unwatch = watchListeners?.(recordArrival)
  const left: Promise<unknown>[] = []
  let isStopped = false
  let sending = seams.publish === undefined ? undefined : watchSending()
  await sending?.injection

  /** Starts a watch, which records while it is on. */
  function watchSending(): { isOn: boolean; readonly injection: Promise<Injection> } {
    const watch = { isOn: true }
    const record = (message: Message): void => {
      if (watch.isOn) recordSending(message)
    }
    return Object.assign(watch, { injection: inject(watchSeam({ seam: 'publish', record }), target, WATCH_OPTIONS) })
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

  /** A newly armed fault is above the watch, so the watch moves above the fault. */
  const onArmed = (published: unknown): void => {
    const entry = published as JournalEntry
    // The fault is armed in this step, so the watch must follow in the next.
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
const WATCH_OPTIONS = { leaseMs: MAX_TIMER_MS } as const

/** Reports every message and lets it pass. It is a fault only to be armed and rolled back like one. */
const watchSeam = defineFault({
  name: WATCH,
  kind: 'standing',
  summary: 'Watches a seam.',
  options: {
    seam: option.oneOf(['publish', 'delivery'], 'The seam to watch.'),
    record: option.func<(message: Message) => void>('Called with each message.'),
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
    const { seams, handsOver } = busOf(target)
    const binding = seam === 'publish' ? (handsOver ?? seams.publish) : seams[seam]
    binding?.({ covers: () => true, take }, context)
  },
})

function idOf(payload: unknown, { idAt }: OptionsOutput<typeof schema>): unknown {
  const id = idAt === undefined ? payload : readAt(payload, idAt, payload)
  // A text payload may arrive as bytes.
  return isBytes(id) ? bytesOf(id).toString('utf8') : id
}

function keyOf(name: EventName, payload: unknown, { keyAt }: OptionsOutput<typeof schema>): unknown {
  return keyAt === undefined ? name : readAt(payload, keyAt, name)
}

/** A field, or `otherwise` if reading it throws: the error must not reach the application's call. */
function readAt(payload: unknown, path: string, otherwise: unknown): unknown {
  try {
    return fieldOf(payload, path)
  } catch {
    return otherwise
  }
}

/** The id of a message as an error shows it. An id can be any value. */
const shown = (id: unknown): string =>
  readSafely(() => printable(typeof id === 'object' && id !== null ? JSON.stringify(id) : id, { max: 1_000 }))

function violated({ guarantee, subscriber, name, id, reason }: Violation): ChaosError {
  return new ChaosError(
    'CHAOS_DELIVERY_VIOLATED',
    `Expected ${guarantee} delivery of \`${printable(name)}\` to ${printable(subscriber)}; the message with the id ${shown(id)} ${reason}. Check the path between publisher and subscriber, or assert a weaker guarantee.`,
  )
}
