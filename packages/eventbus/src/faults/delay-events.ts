import { defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import { isEmitterLike, isListenedTo, passesStraight, seamOf, type CallableEmitter, type EmitterLike, type EventName } from '../bindings/event-emitter.js'

const schema = optionsSchema({
  delayMs: option.durationMs('Time each affected event is held back, in ms.'),
  order: option.optional(option.oneOf(['keep', 'free'], 'keep: events of one name stay in order; free: they may overtake each other.'), 'keep'),
  seam: option.optional(option.oneOf(['delivery', 'publish'], 'delivery: after the bus has stamped and counted the event; publish: before it sees it.'), 'delivery'),
})

/**
 * Options of {@link delayEvents}: `delayMs`, the time each affected event is held back, in ms; `order`, `keep` (default) or `free`;
 * `seam`, `delivery` (default) or `publish`.
 */
export type DelayEventsOptions = OptionsOf<typeof delayEvents>

/**
 * Holds events back between the bus and its listeners.
 *
 * Models a broker under load: `emit` returns at once with what it returns in health, and delivery comes late. With `order: 'keep'` an
 * event that was not chosen waits behind held ones of its name. What is still held when the fault ends is delivered then, in order.
 * `error` without listeners, `newListener` and `removeListener` pass straight through. An operation is an event; its name is the event's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `delayMs` does not fit a timer.
 * @see Toxiproxy's `latency` toxic, which also releases held data when it is removed.
 */
export const delayEvents = defineFault({
  name: 'eventbus/delay-events',
  kind: 'standing',
  summary: 'Holds events back between the bus and its listeners.',
  schema,
  expects: 'an event emitter (an object with `emit` and `on`)',
  accepts: isEmitterLike,
  inject(bus: EmitterLike, { delayMs, order, seam }, context) {
    const { object, inherited, shared } = seamOf(bus, seam)
    const { operation, isHolding } = context
    const keepsOrder = order === 'keep'
    const layer = (below: { readonly call: unknown }) =>
      function emit(this: CallableEmitter, ...args: EmitArguments): unknown {
        // Small, and with `args` handed on whole: so V8 inlines it, and makes no array of an event that passes.
        const name = args[0]
        if ((!shared || Object.is(this, bus)) && !passesStraight(this, name)) {
          const isChosen = operation(name).shouldInject(args)
          if (isChosen || (keepsOrder && isHolding(name))) return keepBack(this, args, isChosen, below)
        }
        return (below.call as CallableEmitter['emit']).apply(this, args)
      }
    const keepBack = (from: CallableEmitter, args: EmitArguments, isChosen: boolean, below: { readonly call: unknown }): boolean => {
      const [name] = args
      const run = (): void => void (below.call as CallableEmitter['emit']).apply(from, args)
      if (isChosen) context.hold({ afterMs: delayMs, order: keepsOrder ? name : undefined, run })
      else context.queue({ order: name, run })
      return isListenedTo(from, name)
    }
    context.patch(object, 'emit', layer, { inherited })
  },
})

type EmitArguments = [name: EventName, ...unknown[]]
