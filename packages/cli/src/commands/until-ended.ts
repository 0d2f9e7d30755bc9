import type { InjectionState } from '@chaos/core'
import type { Connection } from '../connections/connect-on.js'
import type { Terminal } from '../view/terminal.js'
import { interrupted } from './command.js'

/**
 * Waits until a fault has ended.
 *
 * @returns Its final state; `undefined` if the user interrupts first or the connection ends
 */
export function untilEnded(
  controller: Connection,
  { id, armedAt }: InjectionState,
  { signal }: Terminal,
): Promise<InjectionState | undefined> {
  return new Promise((resolve) => {
    const unfollow = controller.follow((entry) => {
      if (entry.type === 'ended' && entry.injection.id === id) finish(entry.injection)
    })
    const finish = (state: InjectionState | undefined): void => {
      unfollow()
      resolve(state)
    }
    void Promise.race([controller.closed, interrupted(signal)]).then(() => finish(undefined))
    // The fault may have ended before the command followed events.
    controller.injections().then(
      (states) => {
        // An earlier injection may have had the same id.
        const state = states.find((one) => one.id === id && one.armedAt === armedAt)
        if (state?.status === 'ended') finish(state)
      },
      // `controller.closed` handles a lost connection.
      () => undefined,
    )
  })
}
