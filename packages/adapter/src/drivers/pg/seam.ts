import type { InjectionContext } from '@chaos/core/authoring'
import {
  commandTarget,
  mismatch,
  type CommandBinding,
  type CommandSeam,
  type CommandTarget,
  type Endpoint,
} from '../../calls/commands.js'
import type { PoolBinding, PooledConnection } from '../../calls/pools.js'
import type { Emitter } from '../../operations/listeners.js'
import type { Stage } from '../sql/stages.js'
import { SQL_VERBS } from '../sql/verbs.js'
import { patchCheckout, type CheckoutPool } from './checkout.js'
import { patchConnecting } from './connecting.js'
import { patchQueries } from './queries.js'

/** A client or a pool of `pg`. */
export interface PgClient {
  readonly query: (...args: never) => unknown
  readonly connect: (...args: never) => unknown
}

/** The class of clients: `pg.Client`. */
type PgClientClass = abstract new (...args: never) => PgClient

/** The parts of a pool that the binding uses. */
interface Pool extends PgClient, Emitter, CheckoutPool {
  readonly Client: PgClientClass
  readonly _clients: readonly object[]
  readonly options: CheckoutPool['options'] & { readonly max: number }
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
}

/** A client that a pool has checked out. */
interface PoolClient extends PooledConnection {
  readonly release: (error?: Error) => void
}

type Callback = (error: Error | null | undefined, result?: unknown) => void
type CheckoutCallback = (error: Error | undefined, client: PoolClient | undefined, release: () => void) => void

/**
 * Binds a pool or a client of `pg`, or the class `pg.Client` of all clients, as a target of call faults. An operation
 * is a query; its name is the verb of the statement, in capitals: `SELECT`, `INSERT`, `BEGIN`. Prepared statements,
 * promises and callbacks are covered. A bound pool covers its `query` and the clients that it hands out. If `methods`
 * name `connect`, connecting a client is an operation too; with a pool, the checkout of a client.
 *
 * Faults act where a client sends its next query, beneath `query_timeout`, instrumentations and the client's own queue.
 * So the queries of a client keep their order, and cursors and query streams, which a fault does not affect, wait for
 * the queries ahead of them. If the client is ended, or its connection is lost, a held query fails as it does while a
 * server is mute. `connect` acts beneath `connectionTimeoutMillis`, which also ends the first query of a client that
 * connected during the fault.
 *
 * A statement refused by an injected server error aborts its transaction. A refused or lost statement that ends the
 * transaction (`COMMIT`, `ROLLBACK`) rolls it back. A connection error ends the connection; the client reports it by its
 * own events. Clients of `pg-native` cannot be bound.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `target` is none of these.
 */
export function bindPg(target: PgClient | PgClientClass): CommandTarget {
  const patch = patcherOf(target)
  if (patch === undefined) throw mismatch('a pool or a client of pg, or the class pg.Client', target)
  return commandTarget(isPool(target) ? 'Pool' : 'Client', {
    names: [...SQL_VERBS, 'connect'],
    onRequest: ['connect'],
    patch,
    pool: isPool(target) ? poolBinding(target) : undefined,
  })
}

function patcherOf(target: unknown): CommandBinding['patch'] | undefined {
  if (isPool(target)) {
    return (context, seam) => {
      const clients = target.Client.prototype as object
      const openingStage = patchCheckout(target, context, seam)
      patchClients(clients, context, seam, (client) => target._clients.includes(client), openingStage)
    }
  }
  const holder: unknown = typeof target === 'function' ? target.prototype : target
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, '_handleReadyForQuery') !== 'function'
  )
    return undefined
  return (context, seam) =>
    patchClients(
      holder,
      context,
      seam,
      () => true,
      (client) => ({
        by: context,
        chooses: () => seam.chooses('connect', []),
        answer: ({ on, proceed }) => seam.answer({ name: 'connect', args: [], client, endpoint: client, on, proceed }),
      }),
    )
}

/** Patches how clients connect and send their queries. */
function patchClients(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  isOurs: (client: object) => boolean,
  connectStage: (client: object & Endpoint) => Stage | undefined,
): void {
  const fresh = new WeakSet()
  patchConnecting(holder, context, (client) => {
    if (!isOurs(client)) return undefined
    fresh.add(client)
    return connectStage(client)
  })
  patchQueries(holder, context, seam, isOurs, fresh)
}

function isPool(target: unknown): target is Pool {
  return (
    typeof target === 'object' &&
    target !== null &&
    '_clients' in target &&
    'Client' in target &&
    typeof target.Client === 'function'
  )
}

/** Adapts a checkout callback. A pool passes `undefined`, not `null`, as the absent error. */
function asCheckout(callback: CheckoutCallback | undefined): Callback | undefined {
  return (
    callback &&
    ((error, client) =>
      callback(
        error ?? undefined,
        client as PoolClient | undefined,
        (client as PoolClient | undefined)?.release ?? (() => undefined),
      ))
  )
}

function poolBinding(pool: Pool): PoolBinding {
  return {
    emitter: pool,
    max: () => pool.options.max,
    free: () => pool.options.max - pool.totalCount + Math.max(0, pool.idleCount - pool.waitingCount),
    giveBack: (client, error) => (client as PoolClient).release(error),
    patch(context, onAttempt) {
      let take = (): Promise<PooledConnection> =>
        Promise.reject(new Error('`connect` must be patched before a connection is taken.'))
      context.patch(pool, 'connect', (below) => {
        take = () => below.call.call(pool) as Promise<PoolClient>
        return function connect(this: Pool, callback?: CheckoutCallback): unknown {
          const handOver = (client: PooledConnection): unknown => deliver(Promise.resolve(client), asCheckout(callback))
          return onAttempt({ pass: () => below.call.call(this, callback) as unknown, handOver })
        }
      })
      return () => take()
    },
  }
}

/**
 * Delivers the answer of a query. Callbacks run outside of promises, so that their errors are uncaught exceptions of
 * the application.
 */
function deliver(answer: Promise<unknown>, callback: Callback | undefined): Promise<unknown> | undefined {
  if (callback === undefined) return answer
  answer.then(
    (result) => process.nextTick(callback, null, result),
    (error: unknown) => process.nextTick(callback, error),
  )
  return undefined
}
