import type { ChaosController, InjectionState } from '@chaos/core'
import type { EventConnection } from './event-stream.js'
import type { InjectRequest } from './routes.js'
import { plainState } from './schemas.js'

/** A client that may disconnect while a fault is being put in force. */
export interface Caller {
  readonly hasLeft: boolean
  /** @returns Forgets the listener. */
  onLeft(listener: () => void): () => void
}

/**
 * Injects a fault for a client that may disconnect. If it does before the answer, or closes the event stream that holds the injection, the
 * injection ends at once, also while it is being armed.
 */
export async function injectFor(
  controller: ChaosController,
  { target, fault, options, how }: InjectRequest,
  caller: Caller,
  holder: EventConnection | undefined,
): Promise<InjectionState> {
  let id: string | undefined
  // A controller of this process writes `armed` before its `inject` returns: from then on the injection can be stopped by its id.
  const stopFollowing = controller.follow((entry) => {
    if (entry.type === 'armed') id ??= entry.injection.id
  })
  const arming = controller.inject(target, fault, options, how)
  stopFollowing()
  if (id !== undefined) holder?.hold(id)

  const stop = (): void => {
    if (id !== undefined) void controller.stop(id).catch(() => undefined)
  }
  const forgetCaller = caller.onLeft(stop)
  try {
    const state = await arming
    id = state.id
    if (caller.hasLeft || holder?.isOpen === false) stop()
    else if (state.status !== 'ended') holder?.hold(id)
    return plainState(state)
  } finally {
    forgetCaller()
  }
}
