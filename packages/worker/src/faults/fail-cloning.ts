import { defineFault, markInjected, type OptionsOf } from '@chaos/core/authoring'
import { directionOption, interceptMessages, isLinkTarget, LINK_TARGET, type LinkTarget } from '../messages/link.js'

const options = { ...directionOption }

/** Options of {@link failCloning}: `direction`, `both` (default), `outgoing` or `incoming`. */
export type FailCloningOptions = OptionsOf<typeof failCloning>

/**
 * Makes messages fail as ones that cannot be cloned.
 *
 * Models a function, a proxy or a socket that found its way into a message. An outgoing message throws a real `DataCloneError` where it is
 * posted and moves nothing; an incoming one is heard as `messageerror`. An operation is a message, named `outgoing` or `incoming`.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when no end is open
 */
export const failCloning = defineFault({
  name: 'worker/fail-cloning',
  kind: 'standing',
  summary: 'Makes messages between threads fail as ones that cannot be cloned.',
  options,
  target: { expects: LINK_TARGET, accepts: isLinkTarget },
  inject(target: LinkTarget, { direction }, context) {
    interceptMessages(target, direction, context, (message) =>
      context.operation(message.direction).shouldInject(message.args)
        ? message.fail(markInjected(realDataCloneError(), 'worker/fail-cloning'))
        : message.pass(),
    )
  },
})

/** The error that this Node.js makes itself. */
function realDataCloneError(): Error {
  try {
    structuredClone(new WeakMap())
  } catch (error) {
    return error as Error
  }
  return new DOMException('#<WeakMap> could not be cloned.', 'DataCloneError')
}
