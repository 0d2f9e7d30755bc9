import {
  commandTarget,
  mismatch,
  type CommandBinding,
  type CommandTarget,
  type Endpoint,
} from '../../calls/commands.js'
import type { Emitter, PoolBinding, PooledConnection } from '../../calls/pools.js'
import { answerPoolCheckout } from '../sql/pool-checkout.js'
import { SQL_VERBS } from '../sql/verbs.js'
import { patchQueries } from './queries.js'

/** A client or a pool of `pg`. */
export interface PgClient {
  readonly query: (...args: never) => unknown
  readonly connect: (...args: never) => unknown
}

/** The class of clients: `pg.Client`. */
type PgClientClass = abstract new (...args: never) => PgClient

/** The parts of a pool that the binding uses. */
interface Pool extends PgClient, Emitter {
  readonly Client: PgClientClass
  readonly _clients: readonly object[]
  readonly options: Endpoint & { readonly max: number }
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
 * server is mute.
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
      patchQueries(target.Client.prototype as object, context, seam, (client) => target._clients.includes(client))
      context.patch(
        target,
        'connect',
        (below) =>
          function connect(this: Pool, callback?: CheckoutCallback): unknown {
            if (!seam.chooses('connect', [])) return below.call.call(this, callback)
            const command = { name: 'connect', args: [], client: this, endpoint: this.options }
            const checkedOut = answerPoolCheckout(seam, command, {
              take: () => below.call.call(this) as Promise<PoolClient>,
              giveBack: (client) => client.release(),
            })
            return deliver(checkedOut, asCheckout(callback))
          },
      )
    }
  }
  const holder: unknown = typeof target === 'function' ? target.prototype : target
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, '_handleReadyForQuery') !== 'function'
  )
    return undefined
  return (context, seam) => {
    patchQueries(holder, context, seam, () => true)
    context.patch(
      holder,
      'connect',
      (below) =>
        function connect(this: Endpoint, callback?: Callback): unknown {
          if (!seam.chooses('connect', [])) return below.call.call(this, callback)
          return deliver(
            seam.answer({
              name: 'connect',
              args: [],
              client: this,
              endpoint: this,
              proceed: () => below.call.call(this) as Promise<unknown>,
            }),
            callback,
          )
        },
    )
  }
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
