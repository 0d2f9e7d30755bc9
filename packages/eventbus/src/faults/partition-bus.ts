import { ChaosError } from '@chaos/core'
import { defineFault, fieldOf, globMatcher, option, type OptionsOf } from '@chaos/core/authoring'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Bus, Message, Seam } from '../seams/bus.js'
import { orderOption, scopeInProcess } from '../traffic/scope.js'
import { directTraffic, type Act } from '../traffic/traffic.js'

const options = {
  way: option.optional(
    option.oneOf(
      ['both', 'outbound', 'inbound'],
      'outbound: what is published here, or by `publishers`, does not arrive; inbound: the other way; both.',
    ),
    'both',
  ),
  messages: option.optional(
    option.oneOf(['lost', 'held'], 'lost: what is cut off is gone; held: it arrives when the partition heals.'),
    'lost',
  ),
  publishers: option.optional(option.names('The one side: names or globs of publishers, which `publisherAt` tells.')),
  publisherAt: option.optional(option.text('Path of the field of the payload that names its publisher: source.')),
  subscribers: option.optional(option.names('The other side: names or globs of subscribers.')),
  order: orderOption,
  where: scopeInProcess.where,
}

/** Options of {@link partitionBus}. */
export type PartitionBusOptions = OptionsOf<typeof partitionBus>

/**
 * Cuts one part of a bus off from another.
 *
 * Without groups, this client is cut off: what it publishes does not arrive (`outbound`), what others publish does not reach it (`inbound`), or
 * both. With groups, what a publisher of the one side sends does not reach a subscriber of the other, while everyone else goes on; `inbound` and `both`
 * read the groups the other way, too. What is held when it heals arrives then, in order.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` unless `publishers`, `publisherAt` and `subscribers` are given together;
 *   `CHAOS_TARGET_MISMATCH` for groups on a bus that cannot tell its subscribers apart.
 */
export const partitionBus = defineFault({
  name: 'eventbus/partition-bus',
  kind: 'standing',
  summary: 'Cuts one part of a bus off from another.',
  options,
  target: busTarget,
  check({ publishers, publisherAt, subscribers }) {
    const given = [publishers, publisherAt, subscribers].filter((one) => one !== undefined).length
    if (given === 0 || given === 3) return
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`publishers\`, \`publisherAt\` and \`subscribers\` together, got ${given} of them. Name both sides and where a payload names its publisher, or none to cut this client off.`,
    )
  },
  inject(bus: BusTarget, options, context) {
    const act: Act =
      options.messages === 'lost'
        ? (message, traffic) => traffic.drop(message)
        : (message, traffic) => traffic.hold(message, Number.POSITIVE_INFINITY).answer
    const { way, where, order, publishers, publisherAt = '', subscribers } = options
    if (publishers !== undefined && subscribers !== undefined) {
      const applies = crossing(matcher(publishers), matcher(subscribers), publisherAt, way)
      directTraffic(bus, { seam: 'delivery', where, order, subscriber: '*', applies }, context, act)
      return
    }
    for (const seam of seamsOf(way, busOf(bus))) directTraffic(bus, { seam, where, order }, context, act)
  },
})

/** Where a client is cut off. On a bus within the process both ways are one: what is published here is what arrives here. A client that goes one way only is cut off there. */
function seamsOf(way: 'both' | 'outbound' | 'inbound', { isLocal = false, seams }: Bus): readonly Seam[] {
  if (way === 'outbound') return ['publish']
  if (way === 'inbound' || isLocal || seams.publish === undefined) return ['delivery']
  return seams.delivery === undefined ? ['publish'] : ['publish', 'delivery']
}

const matcher = (names: string | readonly string[]): ((name: string) => boolean) =>
  globMatcher(typeof names === 'string' ? [names] : names)

/** Whether a message would cross the cut. */
function crossing(
  here: (name: string) => boolean,
  there: (name: string) => boolean,
  publisherAt: string,
  way: 'both' | 'outbound' | 'inbound',
): (message: Message) => boolean {
  return ({ payload, subscriber }) => {
    const publisher = fieldOf(payload, publisherAt)
    if (typeof publisher !== 'string' || subscriber === undefined) return false
    const isOutbound = here(publisher) && there(subscriber.name)
    const isInbound = there(publisher) && here(subscriber.name)
    return (way !== 'inbound' && isOutbound) || (way !== 'outbound' && isInbound)
  }
}
