import type { ChaosController, InjectionState } from '@chaos/core'
import type { EventConnection } from './event-stream.js'
import type { InjectRequest } from './routes.js'
import { plainState } from './schemas.js'

/** A client that may disconnect while a fault is being armed. */
export interface Caller {
  readonly hasLeft: boolean
  /** Calls the listener when the client disconnects. @returns Removes the listener. */
  onLeft(listener: () => void): () => void
}

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
