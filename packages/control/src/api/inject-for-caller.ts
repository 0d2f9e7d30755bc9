import type { ChaosController, InjectionState, PortableInjectOptions } from '@chaos/core'
import type { Caller } from './callers.js'
import type { EventConnection } from './event-stream.js'
import type { InjectRequest } from './route.js'
import { plainState } from './schemas.js'

/**
 * Injects a fault for a client that may disconnect. The injection ends at once, even while it is being armed, if the
 * client disconnects before the answer or closes the event stream that holds the injection.
 */
export async function injectFor(
  controller: ChaosController,
  { target, fault, options, how }: InjectRequest,
  caller: Caller,
  holder: EventConnection | undefined,
): Promise<InjectionState> {
  let id: string | undefined
  // An in-process controller writes `armed` before its `inject` returns. From then on, the injection can be stopped by
  // id.
  const stopFollowing = controller.follow((entry) => {
    if (entry.type === 'armed') id ??= entry.injection.id
  })
  const arming = controller.inject(target, fault, options, holder === undefined ? how : heldBy(controller, how))
  stopFollowing()
  if (id !== undefined) holder?.hold(id)

  // A failed rollback is reported in the injection's state and in the journal.
  const stop = async (): Promise<void> => {
    if (id !== undefined) await controller.stop(id).catch(() => undefined)
  }
  const forgetCaller = caller.onLeft(() => void stop())
  try {
    const state = await arming
    id = state.id
    if (caller.hasLeft || holder?.isOpen === false) await stop()
    else if (state.status !== 'ended') holder?.hold(id)
    return plainState(state)
  } finally {
    forgetCaller()
  }
}

/**
 * Has the process itself end the injection too when the connection of a `ControlClient` ends, such as when this process is
 * killed. Other controllers have no such option.
 */
const heldBy = (controller: ChaosController, how: PortableInjectOptions): PortableInjectOptions =>
  'onAppEvent' in controller ? { ...how, ...{ hold: 'connection' } } : how
