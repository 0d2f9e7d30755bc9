import { isExempt, ownersOf, type InjectionContext } from '@chaos/core/authoring'
import {
  commandTarget,
  endpointOf,
  mismatch,
  type CommandSeam,
  type CommandTarget,
  type Endpoint,
  type WithinResult,
} from '../../calls/commands.js'
import type { PoolBinding, PooledConnection } from '../../calls/pools.js'
import type { Emitter } from '../../operations/listeners.js'
import { beginStages, isHeld, joinAll, joinStages, standInFor, type Stage } from '../sql/stages.js'
import { SQL_VERBS, verbOf } from '../sql/verbs.js'
import { watchOutcome } from '../sql/watch-outcome.js'
import { holdCheckout, type CheckoutCallback } from './checkout.js'
import { isStatementCommand, textOf, type StatementCommand } from './command.js'
import { connectingHolder, type ConnectingConnection } from './connecting.js'
import { HeldStatement, type RunningConnection } from './held-statement.js'

/** A connection or a pool of mysql2, with callbacks or with promises. */
export interface MysqlClient {
  readonly query: (...args: never) => unknown
  readonly execute: (...args: never) => unknown
}

/** The class of connections: `mysql.Connection`. */
type MysqlClass = abstract new (...args: never) => object

/** The connections of a pool, or those of them that are free. */
interface Connections {
  readonly length: number
  readonly get: (index: number) => Connection | undefined
}

/** The internals of a pool that its methods use. */
interface Pool extends Emitter {
  readonly config: { readonly connectionConfig: Endpoint; readonly connectionLimit: number }
  readonly _allConnections: Connections
  readonly _freeConnections: { readonly length: number }
}

/** The internals of a connection that its methods use. */
interface Connection extends PooledConnection, RunningConnection, ConnectingConnection {
  readonly config: Endpoint & {
    /** In ms. `0` or absent: no limit. */
    readonly connectTimeout?: number
  }
  readonly _pool?: unknown
  /** The running command. */
  _command: object | null | undefined
  /** Fails the connection by its `connectTimeout`. */
  readonly _handleTimeoutError: () => void
  readonly release: () => void
}

/**
 * Binds a pool or a connection of mysql2, with callbacks or promises, or the class `mysql.Connection` of all
 * connections, as a target of call faults. An operation is a statement, queried or executed; its name is its verb in
 * capitals: `SELECT`, `INSERT`, `START`. A bound pool covers its `query` and `execute`, and the connections that it
 * hands out. If `methods` name `connect`, the connecting of a new connection is an operation too; with a pool, the
 * checkout of a connection. The answer to a statement is `[result, fields]`.
 *
 * Faults act when the turn of a statement comes in the queue of its connection, beneath instrumentations and the
 * promise API. So the commands of a connection keep their order. The `timeout` of a statement and the `connectTimeout`
 * of a connection fail as they do while a server is mute, and a lost connection fails its held statement. A deadlock
 * rolls back its transaction, and so does a `COMMIT` or `ROLLBACK` that is refused or lost. A connection error ends the
 * connection; the driver reports both in its own way. A statement without a callback delivers its rows as events or as a
 * stream; a fault affects everything but those rows.
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
  // A connection begins to connect when it is made.
  const hasConnect = typeof core === 'function'
  return commandTarget('Connection', {
    names: hasConnect ? [...SQL_VERBS, 'connect'] : SQL_VERBS,
    onRequest: ['connect'],
    patch: (context, seam) =>
      patchStatements(
        hasConnect ? classOf(holder) : holder,
        context,
        seam,
        () => true,
        new WeakSet(),
        (client) =>
          hasConnect
            ? {
                by: context,
                chooses: () => seam.chooses('connect', []),
                answer: ({ on, proceed }) =>
                  seam.answer({ name: 'connect', args: [], client, endpoint: client.config, on, proceed }),
              }
            : undefined,
      ),
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

/** Returns the object on which faults of pools and of the class lie over each other: that with the queue of connections. */
function classOf(connection: object): object {
  return ownersOf(connection, 'addCommand').at(-1) as object
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function patchPool(pool: Pool, context: InjectionContext, seam: CommandSeam): void {
  const fresh = new WeakSet()
  const holdConnecting = connectingHolder(context)
  let isPatched = false
  // The class of the connections is known only once there is one.
  const patchStatementsOf = (connection: Connection): void => {
    if (isPatched || context.signal.aborted) return
    isPatched = true
    patchStatements(classOf(connection), context, seam, (one) => one._pool === pool, fresh)
  }
  context.patch(
    pool,
    'getConnection',
    (below) =>
      function getConnection(this: Pool, callback: CheckoutCallback<Connection>): unknown {
        const take = (report: CheckoutCallback<Connection>): unknown =>
          below.call.call(
            this,
            standInFor(report, (error: Error | null, connection?: Connection) => {
              if (connection !== undefined) patchStatementsOf(connection)
              report(error, connection)
            }),
          )
        /** Returns the connection that the pool opens in a call. */
        const openedIn = (call: () => unknown): Connection | undefined => {
          const before = this._allConnections.length
          call()
          const opened =
            this._allConnections.length > before ? this._allConnections.get(this._allConnections.length - 1) : undefined
          if (opened === undefined) return undefined
          fresh.add(opened)
          patchStatementsOf(opened)
          return opened
        }
        const stage: Stage = {
          by: context,
          chooses: () => seam.chooses('connect', []),
          answer: ({ on, proceed }) =>
            seam.answer({
              ...{ name: 'connect', args: [], client: this, endpoint: this.config.connectionConfig },
              ...{ on, proceed },
            }),
        }
        if (isExempt(callback) || joinStages(callback, stage) || !stage.chooses()) {
          openedIn(() => take(callback))
          return undefined
        }
        const report: CheckoutCallback<Connection> = (error, connection) => checkout.report(error, connection)
        const stages = beginStages(report, stage)
        const checkout = holdCheckout<Connection>(stages, callback, {
          take: (anew) => void take(anew),
          giveBack: (connection) => connection.release(),
        })
        const opened = openedIn(() => take(report))
        if (opened === undefined) checkout.hold()
        else if (isHeld(opened)) joinAll(opened, stages)
        else holdConnecting(opened, stages)
        return undefined
      },
  )
  const first = pool._allConnections.get(0)
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
        return function getConnection(this: Pool, callback: CheckoutCallback<Connection>): unknown {
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

/**
 * Patches the point where the turn of a command comes on its connection.
 *
 * @param fresh The connections that connected during the fault and have run no statement yet.
 * @param connectStage Returns what the fault does about a connection that begins to connect; `undefined` if it does
 *   nothing.
 */
function patchStatements(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  isOurs: (connection: Connection) => boolean,
  fresh: WeakSet<object>,
  connectStage: (connection: Connection) => Stage | undefined = () => undefined,
): void {
  const { watch } = seam
  if (watch !== undefined) {
    watchStatements(holder, context, seam.chooses, watch, isOurs)
    return
  }
  const holdConnecting = connectingHolder(context)
  context.patch(
    holder,
    'handlePacket',
    (below) =>
      function handlePacket(this: Connection, packet: unknown): void {
        if (packet === undefined && this._command !== null && this._command !== undefined) onTurn(this, this._command)
        below.call.call(this, packet)
      },
  )

  function onTurn(connection: Connection, command: object): void {
    if (isHeld(command)) {
      if (isOurs(connection)) joinStages(command, stageOf(connection, (command as HeldStatement).command))
      return
    }
    if (isStatementCommand(command)) {
      if (!isOurs(connection) || isExempt(command) || isOver(command)) return
      const stage = stageOf(connection, command)
      if (stage.chooses()) connection._command = new HeldStatement(command, connection, stage, context.clock)
      return
    }
    // The first command of a connection is the handshake, in its constructor.
    if ((connection._handshakePacket ?? null) !== null) return
    fresh.add(connection)
    const stage = connectStage(connection)
    if (stage !== undefined && !joinStages(connection, stage) && stage.chooses())
      holdConnecting(connection, beginStages(connection, stage))
  }

  function stageOf(connection: Connection, command: StatementCommand): Stage {
    const isFirst = fresh.delete(connection)
    const text = textOf(command)
    const [name, args] = [verbOf(text), [text, command.values]]
    return {
      by: context,
      chooses: () => seam.chooses(name, args),
      answer({ on, proceed, untilSent }) {
        if (isFirst) untilSent(startConnectTimeout(connection, context.clock))
        const endpoint = endpointOf(connection.stream, connection.config)
        return seam.answer({ name, args, client: connection, endpoint, within: withinRows, on, proceed })
      },
    }
  }
}

/** Patches the queue of a connection, to record its statements. */
function watchStatements(
  holder: object,
  context: InjectionContext,
  chooses: CommandSeam['chooses'],
  watch: NonNullable<CommandSeam['watch']>,
  isOurs: (connection: Connection) => boolean,
): void {
  context.patch(
    holder,
    'addCommand',
    (below) =>
      function addCommand(this: Connection, command: object): unknown {
        if (isStatementCommand(command) && !isExempt(command) && isOurs(this)) {
          const text = textOf(command)
          const [name, args] = [verbOf(text), [text, command.values]]
          if (chooses(name, args)) watchOutcome(command, 'onResult', watch({ name, args }))
        }
        return below.call.call(this, command)
      },
  )
}

/** Whether preparing the statement failed. The driver has told the caller and replaced `start`. */
function isOver(command: StatementCommand): boolean {
  return Object.hasOwn(command, 'start')
}

/**
 * Starts the `connectTimeout` of a connection again, for a statement that is the first one after the connection
 * connected during the fault. Before a mute server such a connection would not have connected, so its caller would wait
 * no longer than this.
 */
function startConnectTimeout(connection: Connection, clock: InjectionContext['clock']): () => void {
  const { connectTimeout = 0 } = connection.config
  if (connectTimeout <= 0) return () => undefined
  return clock.after(connectTimeout, () => connection._handleTimeoutError(), { ref: false })
}

const withinRows: WithinResult = (result, change) => {
  const [rows, fields] = result as readonly [unknown, unknown]
  return [change(rows), fields]
}
