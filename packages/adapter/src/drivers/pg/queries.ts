import { exempt, isExempt, type InjectionContext } from '@chaos/core/authoring'
import { endpointOf, type CommandSeam, type Endpoint, type WithinResult } from '../../calls/commands.js'
import { listenTo } from '../../operations/listeners.js'
import { isHeld, joinStages, type Stage } from '../sql/stages.js'
import { verbOf } from '../sql/verbs.js'
import { watchOutcome } from '../sql/watch-outcome.js'
import { startConnectionTimeout, type TimedClient } from './connection-timeout.js'
import { HeldQuery, type Connection, type Query, type RunningClient } from './held-query.js'

/** The internals of a client that run its queries. Names without an underscore are those of older versions. */
interface Client extends Endpoint, TimedClient {
  readonly connection: Connection
  /** Set if the client sends queries without waiting for the answers to earlier ones. */
  pipeline?: boolean
  /** The sent queries of a pipeline that have no answer yet. */
  readonly _sentQueryQueue?: readonly unknown[]
  _activeQuery?: unknown
  activeQuery?: unknown
  readonly _queryQueue?: unknown[]
  readonly queryQueue?: unknown[]
  readyForQuery: boolean
  readonly _queryable: boolean
  readonly getTransactionStatus?: () => string | null
  readonly _pulseQueryQueue: () => void
}

type QueryClass = new (config: object) => Query

/**
 * Patches the point where a client sends its next query. The client's queue and its `query_timeout`, and
 * instrumentations, are above it.
 *
 * @param fresh The clients that connected during the fault and have sent no query yet.
 */
export function patchQueries(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  isOurs: (client: object) => boolean,
  fresh: WeakSet<object>,
): void {
  /** Whether the fault affects a query. A query is decided once. */
  const decisions = new WeakMap<Query, boolean>()
  const decide = ({ text, values }: Query): boolean => seam.chooses(verbOf(text ?? ''), [text, values])
  const isChosen = (query: unknown): query is Query => {
    if (!isQuery(query) || isExempt(query)) return false
    const decision = decisions.get(query) ?? decide(query)
    decisions.set(query, decision)
    return decision
  }
  const stageOf = (client: Client, query: Query): Stage => {
    const isFirst = fresh.delete(client)
    return {
      by: context,
      chooses() {
        const known = decisions.get(query)
        // A copy of the query is decided anew.
        decisions.delete(query)
        return known ?? decide(query)
      },
      answer({ untilSent, ...command }) {
        if (isFirst) untilSent(startConnectionTimeout(client, context.clock))
        return seam.answer({
          name: verbOf(query.text ?? ''),
          args: [query.text, query.values],
          client,
          endpoint: endpointOf(client.connection.stream, client),
          within: withinRows,
          ...command,
        })
      },
    }
  }
  const heldQuery = (client: Client, query: Query): HeldQuery =>
    new HeldQuery(query, runningClient(client), stageOf(client, query))

  context.patch(
    holder,
    '_pulseQueryQueue',
    (below) =>
      function pulseQueryQueue(this: Client): void {
        const pass = (): void => void below.call.call(this)
        const queue = queueOf(this)
        const { watch } = seam
        if (watch !== undefined) {
          if (isOurs(this)) for (const query of queue) watchQuery(query, watch)
          pass()
          return
        }
        if (isOurs(this)) {
          if (this.pipeline === true) {
            pulsePipeline(this, pass)
            return
          }
          if (this.readyForQuery && queue.length > 0) {
            const [head] = queue
            if (isHeld(head)) joinStages(head as HeldQuery, stageOf(this, (head as HeldQuery).query))
            else if (isChosen(head)) queue[0] = heldQuery(this, head)
            else fresh.delete(this)
          }
        }
        pass()
      },
  )

  const watched = new WeakSet<Query>()
  function watchQuery(query: unknown, watch: NonNullable<CommandSeam['watch']>): void {
    if (!isChosen(query) || watched.has(query)) return
    watched.add(query)
    watchOutcome(query, 'callback', watch({ name: verbOf(query.text ?? ''), args: [query.text, query.values] }))
  }

  /** The affected queries that wait for their turn in the pipelines of clients. */
  const waiting = new WeakMap<Client, { readonly query: Query; readonly end: () => void }>()
  /** Keeps the injection in force until the turn of a query comes, though its limit may be spent. */
  function awaitTurn(client: Client, query: Query): void {
    const leave = listenTo(client.connection.stream, 'close', () => end())
    const held = context.hold({
      afterMs: Number.POSITIVE_INFINITY,
      run() {
        leave()
        decisions.set(query, false)
      },
    })
    const end = (): void => {
      leave()
      held.drop()
      waiting.delete(client)
    }
    waiting.set(client, { query, end })
  }

  /** Lets a query of a pipeline that is affected wait until those ahead are answered, and those behind wait for it. */
  function pulsePipeline(client: Client, pass: () => void): void {
    const active = activeQueryOf(client)
    if (isHeld(active)) return
    const queue = queueOf(client)
    const index = queue.findIndex(isChosen)
    const before = waiting.get(client)
    if (before !== undefined && before.query !== queue[index]) before.end()
    if (index === -1) {
      pass()
      return
    }
    if (index > 0 || !client.readyForQuery || (active ?? client._sentQueryQueue?.[0]) !== undefined) {
      if (!waiting.has(client)) awaitTurn(client, queue[index] as Query)
      const behind = queue.splice(index)
      pass()
      queue.push(...behind)
      return
    }
    queue[0] = heldQuery(client, queue[0] as Query)
    client.pipeline = false
    pass()
    client.pipeline = true
    waiting.get(client)?.end()
  }
}

function queueOf(client: Client): unknown[] {
  return client._queryQueue ?? client.queryQueue ?? []
}

/** Returns the key of the active query. The newer versions warn of the older key. */
function activeKeyOf(client: Client): '_activeQuery' | 'activeQuery' {
  return client._queryQueue === undefined ? 'activeQuery' : '_activeQuery'
}

function activeQueryOf(client: Client): unknown {
  return client[activeKeyOf(client)] ?? undefined
}

/** Returns whether a queue's entry is a query of `pg` itself, not one of a cursor or a stream. */
function isQuery(entry: unknown): entry is Query {
  return typeof entry === 'object' && entry !== null && 'requiresPreparation' in entry
}

function runningClient(client: Client): RunningClient {
  const key = activeKeyOf(client)
  const isGone = (): boolean => !client._queryable || client.connection.stream.destroyed
  return {
    connection: client.connection,
    status: () => client.getTransactionStatus?.(),
    isGone,
    occupy(active) {
      client[key] = active
      client.readyForQuery = false
    },
    goOn(active) {
      if (client[key] !== active) return
      client[key] = null
      client.readyForQuery = true
      client._pulseQueryQueue()
    },
    sendCopy: (query) =>
      new Promise((resolve, reject) => {
        const { text, name, values, rows, types, binary, queryMode } = query
        const copy = new (query.constructor as QueryClass)({
          ...{ text, name, values, rows, types, binary, queryMode, rowMode: query._rowMode },
          callback: (error: Error | null | undefined, result: unknown) =>
            error === null || error === undefined ? resolve(result) : reject(error),
        })
        if (copy._result !== undefined) copy._result._types = query._result?._types
        queueOf(client).unshift(exempt(copy))
        client._pulseQueryQueue()
      }),
  }
}

/** Changes the rows of a result, or of each result if the text has several statements. */
const withinRows: WithinResult = (result, change) => {
  if (Array.isArray(result)) return result.map((one) => withinRows(one, change))
  if (typeof result !== 'object' || result === null || !('rows' in result)) return change(result)
  return Object.assign(Object.create(Object.getPrototypeOf(result) as object) as object, result, {
    rows: change(result.rows),
  })
}
