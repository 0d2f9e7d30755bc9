import { injectedBy } from '@chaos/core'
import type { Socket } from 'node:net'
import { answerInStages, beginStages, type Stage } from '../sql/stages.js'
import { endsConnection, loseConnection } from './lose-connection.js'
import { replacementFor } from './replacement.js'

/** A query as pg represents it. */
export interface Query {
  readonly text?: string
  readonly name?: string
  readonly values?: readonly unknown[]
  readonly rows?: number
  readonly types?: unknown
  readonly binary?: boolean
  readonly queryMode?: string
  readonly _rowMode?: string
  readonly _result?: { _types?: unknown }
  readonly _canceledDueToError?: unknown
  callback?: ((error: unknown, result?: unknown) => void) | undefined
  /** What the callback gets. */
  _results: unknown
  readonly constructor: unknown
  /** Writes the query to the connection. Returns an error if the query is not valid. */
  readonly submit: (connection: Connection) => Error | null | undefined
  readonly handleRowDescription: (message: unknown) => void
  readonly handleDataRow: (message: unknown) => void
  readonly handlePortalSuspended: (connection: Connection) => void
  readonly handleEmptyQuery: (connection: Connection) => void
  readonly handleCommandComplete: (message: unknown, connection: Connection) => void
  readonly handleCopyInResponse: (connection: Connection) => void
  readonly handleCopyData: (message: unknown, connection: Connection) => void
  readonly handleReadyForQuery: (connection: Connection) => void
  readonly handleError: (error: unknown, connection: Connection) => void
}

/** The parts of a connection that a query uses. */
export interface Connection {
  readonly stream: Socket
  readonly query: (text: string) => void
}

/** A client as the query that it runs sees it. */
export interface RunningClient {
  readonly connection: Connection
  /** `I` outside of a transaction, `T` inside, `E` in an aborted one. `undefined`: this version of pg does not tell. */
  readonly status: () => string | null | undefined
  readonly isGone: () => boolean
  /** Makes a query the active one, so that later queries wait. */
  readonly occupy: (active: HeldQuery) => void
  /** Frees the client and lets it run its next query. */
  readonly goOn: (active: HeldQuery) => void
  /** Runs a copy of the query, with an answer of its own. */
  readonly sendCopy: (query: Query) => Promise<unknown>
}

type State = 'held' | 'sent' | 'replied' | 'replaced' | 'told'

/**
 * Runs in the place of a query that faults affect. The client takes it for its active query, so later queries,
 * cursors and the end of the client wait for it or fail with it, as they do while a server is slow. Nothing is put on
 * the query itself.
 */
export class HeldQuery {
  readonly #query: Query
  readonly #client: RunningClient
  #state: State = 'held'
  #reply: { readonly resolve: (result: unknown) => void; readonly reject: (error: unknown) => void } | undefined
  /** What the caller gets instead of what the client reports. */
  #failure: unknown
  /** Tells the caller, once the server has run the replacement. */
  #afterReplacement: (() => void) | undefined

  readonly #stages: readonly Stage[]

  /** @param outermost The outermost fault, which has chosen the query. Others may join until the query is submitted. */
  constructor(query: Query, client: RunningClient, outermost: Stage) {
    this.#query = query
    this.#client = client
    this.#stages = beginStages(this, outermost)
  }

  get query(): Query {
    return this.#query
  }

  get text(): string | undefined {
    return this.#query.text
  }

  get name(): string | undefined {
    return this.#query.name
  }

  submit(): null {
    answerInStages(this.#stages, {
      on: { isGone: () => this.#client.isGone() },
      send: (isFirst) => {
        if (this.#client.isGone()) return Promise.reject(new Error('Connection terminated'))
        return isFirst && this.#state === 'held' ? this.#send() : this.#client.sendCopy(this.#query)
      },
    }).then(
      (result) => this.#onAnswer(result),
      (error: unknown) => this.#onError(error),
    )
    return null
  }

  handleRowDescription(message: unknown): void {
    if (this.#state === 'sent') this.#query.handleRowDescription(message)
  }

  handleDataRow(message: unknown): void {
    if (this.#state === 'sent') this.#query.handleDataRow(message)
  }

  handlePortalSuspended(connection: Connection): void {
    this.#query.handlePortalSuspended(connection)
  }

  handleEmptyQuery(connection: Connection): void {
    if (this.#state !== 'replaced') this.#query.handleEmptyQuery(connection)
  }

  handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#state !== 'replaced') this.#query.handleCommandComplete(message, connection)
  }

  handleCopyInResponse(connection: Connection): void {
    this.#query.handleCopyInResponse(connection)
  }

  handleCopyData(message: unknown, connection: Connection): void {
    this.#query.handleCopyData(message, connection)
  }

  handleReadyForQuery(): void {
    if (this.#state === 'told') return
    // The client is free for the next query, but the caller has no answer yet.
    this.#client.occupy(this)
    if (this.#state === 'replaced') {
      this.#afterReplacement?.()
      return
    }
    this.#state = 'replied'
    const error = this.#failure ?? this.#query._canceledDueToError
    this.#failure = undefined
    if (error === undefined || error === false || error === null) this.#reply?.resolve(this.#query._results)
    else this.#reply?.reject(error)
  }

  handleError(error: unknown): void {
    if (this.#state === 'told') return
    if (this.#client.isGone()) {
      const told = this.#failure ?? error
      this.#state = 'told'
      this.#reply?.reject(told)
      this.#query.handleError(told, this.#client.connection)
      return
    }
    if (this.#state === 'held') {
      // The server ends the session: it has been idle in its transaction for too long, or is stopped.
      this.#state = 'told'
      this.#query.handleError(error, this.#client.connection)
      return
    }
    // The server is ready for the next query only after its error.
    this.#client.occupy(this)
    if (this.#state === 'sent') this.#failure = error
  }

  #send(): Promise<unknown> {
    this.#state = 'sent'
    return new Promise((resolve, reject) => {
      this.#reply = { resolve, reject }
      const invalid = this.#query.submit(this.#client.connection)
      if (!(invalid instanceof Error)) return
      this.#state = 'replied'
      reject(invalid)
    })
  }

  #onAnswer(result: unknown): void {
    this.#settle(
      () => {
        this.#query._results = result
        this.#query.handleReadyForQuery(this.#client.connection)
      },
      replacementFor(this.#query.text ?? '', this.#client.status()),
    )
  }

  #onError(error: unknown): void {
    if (this.#state === 'told') return
    const { connection } = this.#client
    const isInjected = injectedBy(error) !== undefined
    if (isInjected && endsConnection(error as Error)) {
      this.#failure = error
      if (loseConnection(connection.stream, error as Error) === 'with the end') return
      this.#state = 'told'
      this.#query.handleError(error, connection)
      return
    }
    this.#settle(
      () => this.#query.handleError(error, connection),
      isInjected ? replacementFor(this.#query.text ?? '', this.#client.status(), error as Error) : undefined,
    )
  }

  /** @param replacement The statement that the server runs instead of a query that was not sent. */
  #settle(tell: () => void, replacement: string | undefined): void {
    if (this.#state === 'told') return
    if (this.#state === 'held' && replacement !== undefined && !this.#client.isGone()) {
      this.#state = 'replaced'
      this.#afterReplacement = () => this.#settle(tell, undefined)
      this.#client.connection.query(replacement)
      return
    }
    // The reply of a query that was sent is still due; the client goes on once it is there.
    const isFree = this.#state !== 'sent'
    this.#state = 'told'
    // Runs callbacks outside of promises, so that their errors are uncaught exceptions of the application.
    process.nextTick(() => {
      try {
        tell()
      } finally {
        if (isFree) this.#client.goOn(this)
      }
    })
  }
}
