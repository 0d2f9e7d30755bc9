import { injectedBy } from '@chaos/core'
import { answerInStages, type Stage } from './stages.js'

/** A connection that is held while it connects. */
interface HeldConnecting {
  readonly isGone: () => boolean
  /** Lets it connect. Called when the last fault passes it on. */
  readonly letGo: () => void
  /** Settles as the driver does. */
  readonly ready: Promise<void>
  /** Tells the driver that the connection is ready. */
  readonly tellReady: () => void
  /** Fails it, as the server or the network does. */
  readonly fail: (error: Error) => void
}

/** Has faults act on a connection that connects, one after the other. */
export function connectInStages(
  stages: readonly Stage[],
  { isGone, letGo, ready, tellReady, fail }: HeldConnecting,
): void {
  // The driver itself reports why it could not connect.
  ready.catch(() => undefined)
  const send = (): Promise<void> => {
    letGo()
    return ready
  }
  // The faults beneath join within this turn.
  Promise.resolve()
    .then(() => answerInStages(stages, { on: { isGone }, send }))
    .then(
      // Callbacks run outside of promises, so that their errors are uncaught exceptions of the application.
      () => process.nextTick(tellReady),
      (error: unknown) => {
        if (injectedBy(error) !== undefined) process.nextTick(fail, error)
      },
    )
}
