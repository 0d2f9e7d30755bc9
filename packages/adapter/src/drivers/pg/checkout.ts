import { exempt, isExempt, type InjectionContext } from '@chaos/core/authoring'
import type { CommandSeam, Endpoint } from '../../calls/commands.js'
import { answerPoolCheckout } from '../sql/pool-checkout.js'
import { beginStages, joinStages, type Stage } from '../sql/stages.js'

/** A client that a pool has checked out. */
interface PoolClient {
  readonly release: (error?: Error) => void
}

/** A request for a client, as a pool represents it. */
interface PendingItem {
  readonly callback: (error: Error | undefined, client: PoolClient | undefined, release: () => void) => void
  /** Set when the `connectionTimeoutMillis` of the pool has ended the request. */
  readonly timedOut?: boolean | undefined
}

/** The internals of a pool that check clients out. */
export interface CheckoutPool {
  readonly options: Endpoint
  readonly ending: boolean
  readonly _idle: readonly unknown[]
  readonly _pendingQueue: PendingItem[]
  readonly _pulseQueue: () => void
}

/**
 * Patches the points where a pool hands out an idle client or opens a new one. The `connectionTimeoutMillis` of the
 * pool, and instrumentations, are above them.
 *
 * @returns A function that returns what the fault does about the client that the pool opens just now.
 */
export function patchCheckout(
  pool: CheckoutPool,
  context: InjectionContext,
  seam: CommandSeam,
): () => Stage | undefined {
  const command = { name: 'connect', args: [], client: pool, endpoint: pool.options }
  /** The requests that need no decision any more. */
  const decided = new WeakSet<PendingItem>()
  const isChosen = (item: PendingItem): boolean => {
    if (isExempt(item) || decided.has(item)) return false
    decided.add(item)
    return seam.chooses('connect', [])
  }
  const stageOf = (item: PendingItem): Stage => ({
    by: context,
    chooses: () => isChosen(item),
    answer: ({ on, proceed }) => seam.answer({ ...command, on, proceed }),
  })
  let opening: Stage | undefined

  context.patch(
    pool,
    'newClient',
    (below) =>
      function newClient(this: CheckoutPool, item: PendingItem): void {
        opening = stageOf(item)
        try {
          below.call.call(this, item)
        } finally {
          opening = undefined
        }
      },
  )
  context.patch(
    pool,
    '_pulseQueue',
    (below) =>
      /** @param held The requests that faults above hold. The layers tell each other; the pool itself passes none. */
      function _pulseQueue(this: CheckoutPool, held: readonly PendingItem[] = []): void {
        for (const item of held) joinStages(item, stageOf(item))
        const queue = this._pendingQueue
        const chosen: PendingItem[] = []
        while (!this.ending && this._idle.length > 0 && queue[0] !== undefined && isChosen(queue[0]))
          chosen.push(queue.shift() as PendingItem)
        const begun = chosen.map((item) => ({ item, stages: beginStages(item, stageOf(item)) }))
        try {
          below.call.call(this, [...held, ...chosen])
        } finally {
          for (const { item, stages } of begun) holdBack(item, stages)
        }
      },
  )
  return () => opening

  /** Holds a request outside of the queue, which its timeout does not need. */
  function holdBack(item: PendingItem, stages: readonly Stage[]): void {
    const isOver = (): boolean => item.timedOut === true
    const take = (): Promise<PoolClient> =>
      new Promise((resolve, reject) => {
        if (pool.ending) {
          reject(new Error('Cannot use a pool after calling end on the pool'))
          return
        }
        const again: PendingItem = {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the driver's own error
          callback: (error, client) => (client === undefined ? reject(error) : resolve(client)),
          get timedOut() {
            return isOver()
          },
        }
        pool._pendingQueue.push(exempt(again))
        pool._pulseQueue()
      })
    const giveBack = (client: PoolClient): void => client.release()
    // Callbacks run outside of promises, so that their errors are uncaught exceptions of the application.
    answerPoolCheckout(stages, { isGone: isOver }, { take, giveBack }).then(
      (client) =>
        process.nextTick(() => (isOver() ? giveBack(client) : item.callback(undefined, client, client.release))),
      (error: unknown) => process.nextTick(() => isOver() || item.callback(error as Error, undefined, () => undefined)),
    )
  }
}
