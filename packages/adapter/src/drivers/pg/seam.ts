import type { Below, InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import {
  commandTarget,
  endpointOf,
  mismatch,
  type CommandBinding,
  type CommandSeam,
  type CommandTarget,
  type Endpoint,
  type WithinResult,
} from '../../calls/commands.js'
import { postgresErrors } from '../../errors/postgres.js'
import type { Emitter, PoolBinding, PooledConnection } from '../../calls/pools.js'
import { answerPoolCheckout } from '../sql/pool-checkout.js'
import { SQL_VERBS, verbOf } from '../sql/verbs.js'
import { loseConnection } from './lose-connection.js'
import { answerInTurn, withOwnTimeout } from '../sql/statement.js'
import { statementQueue } from '../sql/statement-queue.js'

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

/** The internals of a client that its methods use. */
interface Client extends Endpoint {
  readonly connection?: { readonly stream?: Socket }
  readonly connectionParameters?: { readonly query_timeout?: number | false }
  readonly getTransactionStatus?: () => string | null
}

/** A client that a pool has checked out. */
interface PoolClient extends PooledConnection {
  readonly release: (error?: Error) => void
}

type Callback = (error: Error | null | undefined, result?: unknown) => void
type CheckoutCallback = (error: Error | undefined, client: PoolClient | undefined, release: () => void) => void

/** The configuration of a query. */
interface QueryConfig {
  readonly text?: string
  readonly values?: readonly unknown[]
  readonly callback?: Callback
  readonly query_timeout?: number
  readonly signal?: AbortSignal
}

/** Aborts a transaction, as a failing statement does. The text names its origin in the log of the server. */
const FAILING_STATEMENT = "do $$ begin raise exception 'a statement was refused by a fault of @chaos/adapter'; end $$"

/**
 * Binds a pool or a client of `pg`, or the class `pg.Client` of all clients, as a target of call faults. An operation
 * is a query; its name is the verb of the statement, in capitals: `SELECT`, `INSERT`, `BEGIN`. Prepared statements,
 * promises and callbacks are covered. A bound pool covers its `query` and the clients that it hands out. If `methods`
 * name `connect`, connecting a client is an operation too; with a pool, the checkout of a client.
 *
 * The queries of a client keep their order. A statement refused by an injected server error aborts its transaction, and
 * a connection error ends the connection; the client reports it by its own events. Cursors and query streams pass.
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
  if (typeof holder !== 'object' || holder === null || typeof Reflect.get(holder, '_pulseQueryQueue') !== 'function')
    return undefined
  return (context, seam) => {
    patchQueries(holder, context, seam, () => true)
    context.patch(
      holder,
      'connect',
      (below) =>
        function connect(this: Client, callback?: Callback): unknown {
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

function patchQueries(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  isOurs: (client: object) => boolean,
): void {
  const queue = statementQueue()
  context.patch(
    holder,
    'query',
    (below) =>
      function query(
        this: Client,
        config: QueryConfig | string,
        values?: readonly unknown[] | Callback,
        callback?: Callback,
      ): unknown {
        const passOn = (): unknown => below.call.call(this, config, values, callback)
        if (!isOurs(this) || !isStatement(config)) return passOn()
        const statement: QueryConfig = typeof config === 'string' ? { text: config } : config
        const parameters = typeof values === 'function' ? statement.values : (values ?? statement.values)
        const [name, args] = [verbOf(String(statement.text)), [statement.text, parameters]]
        const isChosen = seam.chooses(name, args)
        if (!isChosen && queue.ahead(this) === undefined) return passOn()

        // A config may be a class instance whose getters make its text, so it is passed on unchanged.
        const withoutCallback =
          statement.callback === undefined
            ? config
            : (Object.create(statement, { callback: { value: undefined } }) as QueryConfig)
        const command = {
          name,
          args,
          client: this,
          endpoint: endpointOf(this.connection?.stream, this),
          signal: statement.signal,
          within: withinRows,
        }
        const answer = answerInTurn(queue, {
          connection: this,
          send: () => below.call.call(this, withoutCallback, parameters) as Promise<unknown>,
          answer: isChosen ? (proceed) => seam.answer({ ...command, proceed }) : undefined,
          onFailure: async (error, { wasSent }) => {
            await loseConnection(this.connection?.stream, error)
            if (!wasSent) await abortTransaction(this, error, below)
          },
        })
        const timeoutMs = statement.query_timeout ?? this.connectionParameters?.query_timeout
        return deliver(
          withOwnTimeout(answer, timeoutMs, postgresErrors['postgres/query-timeout'], context),
          typeof values === 'function' ? values : (callback ?? statement.callback),
        )
      },
  )
}

function isStatement(config: unknown): config is QueryConfig | string {
  return (
    typeof config === 'string' ||
    (typeof config === 'object' && config !== null && !('submit' in config && typeof config.submit === 'function'))
  )
}

/**
 * Aborts the transaction of a refused statement. An old `pg` does not report the transaction status, so the failing
 * statement is then always sent; outside of a transaction it changes nothing.
 */
async function abortTransaction(client: Client, error: Error, below: Below): Promise<void> {
  if (
    Reflect.get(error, 'severity') !== 'ERROR' ||
    (client.getTransactionStatus !== undefined && client.getTransactionStatus() !== 'T')
  )
    return
  await (below.call.call(client, FAILING_STATEMENT) as Promise<unknown>).catch(() => undefined)
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

/** Changes the rows of a result, or of each result if the text has several statements. */
const withinRows: WithinResult = (result, change) => {
  if (Array.isArray(result)) return result.map((one) => withinRows(one, change))
  if (typeof result !== 'object' || result === null || !('rows' in result)) return change(result)
  return Object.assign(Object.create(Object.getPrototypeOf(result) as object) as object, result, {
    rows: change(result.rows),
  })
}
