import { exempt } from '@chaos/core/authoring'
import { answerPoolCheckout } from '../sql/pool-checkout.js'
import type { Stage } from '../sql/stages.js'

export type CheckoutCallback<Connection> = (error: Error | null, connection?: Connection) => void

/** The checkout of connections of a pool, by callbacks. */
interface Checkout<Connection> {
  readonly take: (report: CheckoutCallback<Connection>) => void
  readonly giveBack: (connection: Connection) => void
}

/**
 * Lets faults hold what a pool hands out for a request. Meanwhile the connection counts as in use, so that later
 * requests wait or fail as they do while the application keeps it.
 *
 * @returns How the pool answers the request, and a function that starts the hold.
 */
export function holdCheckout<Connection>(
  stages: readonly Stage[],
  callback: CheckoutCallback<Connection>,
  { take, giveBack }: Checkout<Connection>,
): { readonly report: CheckoutCallback<Connection>; readonly hold: () => void } {
  let isHeld = false
  let isOver = false
  let isTaken = false
  let onTaken = (_connection: Connection): void => undefined
  const taken = new Promise<Connection>((resolve) => (onTaken = resolve))
  const tell: CheckoutCallback<Connection> = (error, connection) => {
    if (isOver) return
    isOver = true
    callback(error, connection)
  }
  return {
    report(error, connection) {
      if (isHeld && error === null) onTaken(connection as Connection)
      else tell(error, connection)
    },
    hold() {
      isHeld = true
      answerPoolCheckout<Connection>(
        stages,
        { isGone: () => isOver },
        {
          take() {
            if (!isTaken) {
              isTaken = true
              return taken
            }
            return new Promise((resolve, reject) =>
              take(exempt((error, connection) => (error === null ? resolve(connection as Connection) : reject(error)))),
            )
          },
          giveBack,
        },
      )
        .finally(() => {
          if (!isTaken) void taken.then(giveBack)
        })
        .then(
          (connection) => process.nextTick(tell, null, connection),
          (error: unknown) => process.nextTick(tell, error as Error),
        )
    },
  }
}
