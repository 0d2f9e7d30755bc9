import { ownersOf, type Below, type InjectionContext } from '@chaos/core/authoring'
import {
  commandTarget,
  endpointOf,
  mismatch,
  type CommandSeam,
  type CommandTarget,
  type Endpoint,
  type WithinResult,
} from '../../calls/commands.js'
import { mysqlErrors } from '../../errors/mysql.js'
import type { Emitter, PoolBinding, PooledConnection } from '../../calls/pools.js'
import { answerPoolCheckout } from '../sql/pool-checkout.js'
import { isStatementCommand, meansBroken, sendCopy, settle, textOf, type LosableConnection } from './command.js'
import { endsTransaction } from '../sql/ends-transaction.js'
import { SQL_VERBS, verbOf } from '../sql/verbs.js'
import { answerInTurn, withOwnTimeout } from '../sql/statement.js'
import { statementQueue } from '../sql/statement-queue.js'

/** A connection or a pool of mysql2, with callbacks or with promises. */
export interface MysqlClient {
  readonly query: (...args: never) => unknown
  readonly execute: (...args: never) => unknown
}

/** The class of connections: `mysql.Connection`. */
type MysqlClass = abstract new (...args: never) => object

/** The internals of a pool that its methods use. */
interface Pool extends Emitter {
  readonly config: { readonly connectionConfig: Endpoint; readonly connectionLimit: number }
  readonly _allConnections: { readonly length: number }
  readonly _freeConnections: { readonly length: number }
}

/** The internals of a connection that its methods use. */
interface Connection extends PooledConnection, LosableConnection {
  readonly config: Endpoint
  readonly _pool?: unknown
  readonly addCommand?: unknown
  /**
   * The function that replaces `addCommand` when the application ends the connection, or when the connection breaks.
   */
  readonly _addCommandClosedState?: unknown
  readonly release: () => void
  readonly constructor: {
    readonly createQuery: (sql: string, values: undefined, callback: () => void, config: object) => object
  }
}

type CheckoutCallback = (error: Error | null, connection?: Connection) => void

/** ER_LOCK_DEADLOCK: the server rolls the whole transaction back. */
const DEADLOCK = 1213

/**
 * Binds a pool or a connection of mysql2, with callbacks or promises, or the class `mysql.Connection` of all
 * connections, as a target of call faults. An operation is a statement, queried or executed; its name is its verb in
 * capitals: `SELECT`, `INSERT`, `START`. A bound pool covers its `query` and `execute`, and the connections that it
 * hands out. If `methods` name `connect`, the checkout of a connection is an operation too. The answer to a statement
 * is `[result, fields]`.
 *
 * The statements of a connection keep their order. A deadlock rolls back its transaction, and so does a `COMMIT` or
 * `ROLLBACK` that is refused or lost. A connection error ends the connection; the driver reports both in its own way. A statement without a callback delivers its rows as events or
 * as a stream; a fault affects everything but those rows.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `target` is none of these.
 */
export function bindMysql2(target: MysqlClient | MysqlClass): CommandTarget {
  const core = coreOf(target)
  if (isPool(core))
    return commandTarget('Pool', {
      names: [...SQL_VERBS, 'connect'],
      onRequest: ['connect'],
      patch: (context, seam) => patchPool(core, context, seam),
      pool: poolBinding(core),
    })
  const holder = typeof core === 'function' ? (core.prototype as unknown) : core
  if (!isObject(holder) || typeof Reflect.get(holder, 'addCommand') !== 'function')
    throw mismatch('a pool or a connection of mysql2, or the class mysql.Connection', target)
  return commandTarget('Connection', {
    names: SQL_VERBS,
    patch: (context, seam) => patchStatements(holder, context, seam),
  })
}

/** Returns the object beneath the promise API. */
function coreOf(target: unknown): unknown {
  if (!isObject(target)) return target
  return ['pool', 'connection'].map((key): unknown => Reflect.get(target, key)).find(isObject) ?? target
}

function isPool(core: unknown): core is Pool {
  return isObject(core) && '_allConnections' in core && 'getConnection' in core
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function patchPool(pool: object, context: InjectionContext, seam: CommandSeam): void {
  let isPatched = false
  // The class of the connections is known only once there is one.
  const patchStatementsOf = (connection: Connection): void => {
    if (isPatched || context.signal.aborted) return
    isPatched = true
    patchStatements(ownersOf(connection, 'addCommand').at(-1) as object, context, seam, (one) => one._pool === pool)
  }
  context.patch(
    pool,
    'getConnection',
    (below) =>
      function getConnection(this: Pool, callback: CheckoutCallback): unknown {
        const take = (report: CheckoutCallback): unknown =>
          below.call.call(this, (error: Error | null, connection?: Connection) => {
            if (connection !== undefined) patchStatementsOf(connection)
            report(error, connection)
          })
        if (!seam.chooses('connect', [])) return take(callback)
        const command = { name: 'connect', args: [], client: this, endpoint: this.config.connectionConfig }
        const checkedOut = answerPoolCheckout<Connection>(seam, command, {
          take: () =>
            new Promise((resolve, reject) =>
              take((error, connection) => (error === null ? resolve(connection as Connection) : reject(error))),
            ),
          giveBack: (connection) => connection.release(),
        })
        checkedOut.then(
          (connection) => process.nextTick(callback, null, connection),
          (error: unknown) => process.nextTick(callback, error),
        )
        return undefined
      },
  )
  const connections = Reflect.get(pool, '_allConnections') as {
    readonly get: (index: number) => Connection | undefined
  }
  const first = connections.get(0)
  if (first !== undefined) patchStatementsOf(first)
}

function poolBinding(pool: Pool): PoolBinding {
  const { config } = pool
  return {
    emitter: pool,
    max: () => (config.connectionLimit === 0 ? Number.POSITIVE_INFINITY : config.connectionLimit),
    free: () => config.connectionLimit - pool._allConnections.length + pool._freeConnections.length,
    giveBack: (connection) => (connection as Connection).release(),
    patch(context, onAttempt) {
      let take = (): Promise<PooledConnection> =>
        Promise.reject(new Error('`getConnection` must be patched before a connection is taken.'))
      context.patch(pool, 'getConnection', (below) => {
        take = () =>
          new Promise(
            (resolve, reject) =>
              void below.call.call(pool, (error: Error | null, connection?: Connection) =>
                error === null ? resolve(connection as Connection) : reject(error),
              ),
          )
        return function getConnection(this: Pool, callback: CheckoutCallback): unknown {
          return onAttempt({
            pass: () => below.call.call(this, callback) as unknown,
            handOver: (connection) => process.nextTick(callback, null, connection),
          })
        }
      })
      return () => take()
    },
  }
}

function patchStatements(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  isOurs: (connection: Connection) => boolean = () => true,
): void {
  const queue = statementQueue()
  context.patch(
    holder,
    'addCommand',
    (below: Below) =>
      function addCommand(this: Connection, command: object): unknown {
        const add = (added: object): void => void below.call.call(this, added)
        if (!isStatementCommand(command) || !isOurs(this)) return below.call.call(this, command)
        const text = textOf(command)
        const [name, args] = [verbOf(text), [text, command.values]]
        const isChosen = seam.chooses(name, args)
        if (!isChosen && queue.ahead(this) === undefined) return below.call.call(this, command)

        const rollBack = (): Promise<void> =>
          isGone(this)
            ? Promise.resolve()
            : new Promise((resolve) => add(this.constructor.createQuery('ROLLBACK', undefined, resolve, this.config)))
        let copies = 0
        const answer = answerInTurn(queue, {
          connection: this,
          send: () => (isGone(this) ? Promise.reject(closedState()) : sendCopy(command, add, (copies += 1) === 1)),
          answer: isChosen
            ? (proceed) =>
                seam.answer({
                  name,
                  args,
                  client: this,
                  endpoint: endpointOf(this.stream, this.config),
                  within: withinRows,
                  proceed,
                })
            : undefined,
          onFailure: async (error, { wasSent }) => {
            if (wasSent || meansBroken(error)) return
            if (Reflect.get(error, 'errno') === DEADLOCK || endsTransaction(text)) await rollBack()
          },
          onLost: async () => {
            if (endsTransaction(text)) await rollBack()
          },
        })
        settle(command, this, withOwnTimeout(answer, command.timeout, mysqlErrors['mysql/query-timeout'], context))
        return command
      },
  )
}

/** Returns whether a connection is closed or closing. The driver never answers a later statement. */
const isGone = ({ addCommand, _addCommandClosedState, stream }: Connection): boolean =>
  addCommand === _addCommandClosedState || stream.destroyed

/** Makes the driver's error for a statement on a broken connection. */
function closedState(): Error {
  return Object.assign(new Error("Can't add new command when connection is in closed state"), { fatal: true })
}

const withinRows: WithinResult = (result, change) => {
  const [rows, fields] = result as readonly [unknown, unknown]
  return [change(rows), fields]
}
