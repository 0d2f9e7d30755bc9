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
      'outbound: messages from this client, or from `publishers` to `subscribers`, do not arrive; inbound: the opposite direction; both: both directions.',
    ),
    'both',
  ),
  messages: option.optional(
    option.oneOf(
      ['lost', 'held'],
      'lost: messages across the partition are dropped; held: they arrive when the fault ends.',
    ),
    'lost',
  ),
  publishers: option.optional(
    option.names('One side: names or globs of publishers, compared with the field at `publisherAt`.'),
  ),
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
 * Models a network partition. Without groups, this client is cut off: its messages do not arrive (`outbound`), messages of
 * others do not reach it (`inbound`), or both. With groups, messages from `publishers` do not reach `subscribers`, and all
 * other messages pass; `inbound` and `both` also cut the opposite direction. Messages that are held when the fault ends
 * arrive then, in order.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when only some of `publishers`, `publisherAt` and `subscribers` are given;
 *   `CHAOS_TARGET_MISMATCH` when groups are given and the bus does not identify its subscribers.
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
      `\`publishers\`, \`publisherAt\` and \`subscribers\` belong together, and only ${given} of them ${given === 1 ? 'is' : 'are'} given. Give all three to separate two groups, or none to cut this client off.`,
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

/**
 * The seams to cut. On a bus in this process, publishing is delivery, so one seam cuts both directions. A client with
 * one seam is cut there.
 */
function seamsOf(way: 'both' | 'outbound' | 'inbound', { isLocal = false, seams }: Bus): readonly Seam[] {
  if (way === 'outbound') return ['publish']
  if (way === 'inbound' || isLocal || seams.publish === undefined) return ['delivery']
  return seams.delivery === undefined ? ['publish'] : ['publish', 'delivery']
}

const matcher = (names: string | readonly string[]): ((name: string) => boolean) =>
  globMatcher(typeof names === 'string' ? [names] : names)

/** Whether a message crosses the partition. */
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
