import { defineFault, MAX_TIMER_MS, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { seededStream } from '../traffic/seeded-stream.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  delayMs: option.durationMs('Time each affected event is held back, in ms.'),
  jitterMs: option.optional(option.durationMs('How far the time varies, in ms.'), 0),
  distribution: option.optional(
    option.oneOf(
      ['uniform', 'normal', 'exponential', 'pareto'],
      'uniform: delayMs ± jitterMs; normal: jitterMs is the standard deviation; exponential and pareto: delayMs and a tail of mean jitterMs.',
    ),
    'uniform',
  ),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/**
 * Options of {@link delayEvents}: `delayMs`, the time each affected event is held back, in ms; `jitterMs`, how far it varies, in ms (default 0), and the
 * `distribution` by which it does (`uniform`, default, `normal`, `exponential`, `pareto`); `order`, `keep` (default) or `free`; `seam`, `delivery`
 * (default) or `publish`; `where` and `subscriber`, which say what it may touch.
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
 * @see Toxiproxy's `latency` toxic, which also releases held data when it is removed, and tc-netem, whose delay ± jitter this follows.
 */
export const delayEvents = defineFault({
  name: 'eventbus/delay-events',
  kind: 'standing',
  summary: 'Holds events back between the bus and its listeners.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    const { delayMs, jitterMs, distribution } = options
    const chance = seededStream(context, 'delay')
    const deviate = DEVIATIONS[distribution]
    directTraffic(bus, options, context, (message, traffic) => {
      const varied = jitterMs === 0 ? delayMs : delayMs + jitterMs * deviate(() => chance(message.name))
      return traffic.hold(message, Math.min(MAX_TIMER_MS, Math.max(0, varied))).answer
    })
  },
})

/** How far from the delay, in jitters. */
const DEVIATIONS: Readonly<Record<'uniform' | 'normal' | 'exponential' | 'pareto', (draw: () => number) => number>> = {
  uniform: (draw) => 2 * draw() - 1,
  // Box and Muller's transform; 1 - draw() is never 0.
  normal: (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  exponential: (draw) => -Math.log(1 - draw()),
  // Pareto's distribution of shape 3, moved to begin at 0 (Lomax); its mean is 1/2.
  pareto: (draw) => 2 * ((1 - draw()) ** (-1 / 3) - 1),
}
