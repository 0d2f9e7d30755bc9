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
 * Makes listeners fail before they did anything.
 *
 * Models a consumer with a bug, or without its database. The error goes where the listener's own would: out of `emit`, to the handler of
 * captured rejections, to the process, or to the broker as a refusal. Where a bus tells its listeners apart, each fails or not by itself, and one that
 * throws keeps those behind it from being called, as in health; elsewhere the delivery fails as a whole.
 */
export const failListeners = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes listeners fail before they did anything.',
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
