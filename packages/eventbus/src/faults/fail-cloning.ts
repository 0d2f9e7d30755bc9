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
      'publish: posting throws a DataCloneError; delivery: the message is heard as `messageerror`.',
    ),
    'publish',
  ),
  where: scopeInProcess.where,
}

/** Options of {@link failCloning}. */
export type FailCloningOptions = OptionsOf<typeof failCloning>

const NAME = 'eventbus/fail-cloning'

/**
 * Makes messages of worker threads, ports and processes fail as ones that cannot be cloned.
 *
 * Models a function, a proxy or a socket that found its way into a message. A message that is posted throws a real `DataCloneError` and moves
 * nothing; one that arrives is heard as `messageerror`. An operation is a message; its name is `message`, or that of a `BroadcastChannel`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open.
 */
export const failCloning = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes messages of threads and processes fail as ones that cannot be cloned.',
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

/** The error that this Node.js makes itself. */
function dataCloneError(): Error {
  try {
    structuredClone(new WeakMap())
  } catch (error) {
    return error as Error
  }
  return new DOMException('#<WeakMap> could not be cloned.', 'DataCloneError')
}
