import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { busOf } from '../in-process/bus-target.js'
import { isChannelTarget, type ChannelTarget } from '../in-process/channel.js'
import { isBus, type Bus } from '../seams/bus.js'
import { scopeInProcess } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  seam: option.optional(
    option.oneOf(
      ['publish', 'delivery'],
      'publish: `postMessage` throws a DataCloneError; delivery: the receiver gets `messageerror` instead of the message.',
    ),
    'publish',
  ),
  where: scopeInProcess.where,
}

/** Options of {@link failCloning}. */
export type FailCloningOptions = OptionsOf<typeof failCloning>

const NAME = 'eventbus/fail-cloning'

/**
 * Makes messages of worker threads, ports and processes fail to be cloned.
 *
 * Models a message with a value that cannot be cloned, such as a function, a proxy or a socket. Posting throws a real
 * `DataCloneError` and transfers nothing; at delivery, the receiver gets `messageerror` instead. An operation is a message;
 * its name is `message`, or the name of its `BroadcastChannel`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end of the channel is open.
 */
export const failCloning = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes messages of threads and processes fail to be cloned.',
  options,
  target: {
    expects:
      'a worker thread, a message port, a process with an IPC channel, or a function that returns the current ones',
    accepts: (value: unknown): boolean => (isBus(value) ? value.clones === true : isChannelTarget(value)),
  },
  inject(target: Bus | ChannelTarget, options, context) {
    directTraffic(busOf(target), { ...options, refuses: true }, context, (message, traffic) =>
      traffic.failCloning(message, markInjected(dataCloneError(), NAME)),
    )
  },
})

/** The error as the running version of Node.js makes it. */
function dataCloneError(): Error {
  try {
    structuredClone(new WeakMap())
  } catch (error) {
    return error as Error
  }
  return new DOMException('#<WeakMap> could not be cloned.', 'DataCloneError')
}
