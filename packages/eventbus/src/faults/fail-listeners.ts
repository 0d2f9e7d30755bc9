import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { failureOf, failureOptions, makeErrorOption } from '../traffic/listener-failure.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const NAME = 'eventbus/fail-listeners'
const { seam: _always, ...scope } = scopeOptions
const options = { ...failureOptions, ...scope, ...scopeInProcess, makeError: makeErrorOption }

/** Options of {@link failListeners}. */
export type FailListenersOptions = OptionsOf<typeof failListeners>

/**
 * Makes listeners fail before they do anything.
 *
 * Models a consumer with a bug, or one that lost its database. The error goes where an error of the listener would go: out
 * of `emit`, to the handler of captured rejections, to the process, or to the broker as a refusal. If the bus can call its
 * listeners one by one, each listener fails by itself, and a listener that throws stops those behind it, as it does
 * without a fault. Otherwise the whole delivery fails.
 */
export const failListeners = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes listeners fail before they do anything.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    directTraffic(
      bus,
      { ...options, seam: 'delivery', order: 'free', eachListener: true },
      context,
      (message, traffic) => traffic.fail(message, failureOf(options, NAME), options.how),
    )
  },
})
