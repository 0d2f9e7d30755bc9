import { injectedBy } from '@chaos/core'
import { exempt, type InjectionContext } from '@chaos/core/authoring'
import { mysqlErrors } from '../../errors/mysql.js'
import { endsTransaction } from '../sql/ends-transaction.js'
import { answerInStages, beginStages, type Stage } from '../sql/stages.js'
import { copyOf, textOf, type Packet, type Reply, type Runnable, type StatementCommand } from './command.js'
import { loseConnection, meansBroken, type LosableConnection } from './lose-connection.js'

/** A connection as the statement that has its turn sees it. */
export interface RunningConnection extends LosableConnection {
  readonly config: object
  readonly clientEncoding: string
  readonly handlePacket: () => void
  readonly addCommand: (command: object) => unknown
  readonly constructor: {
    readonly createQuery: (sql: string, values: undefined, callback: () => void, config: object) => Runnable
  }
}

/** ER_LOCK_DEADLOCK: the server rolls the whole transaction back. */
const DEADLOCK = 1213

/**
 * Takes the turn of a statement that faults affect in the queue of its connection. The driver takes it for its running
 * command, so later commands and the end of the connection wait for it or fail with it, as they do while a server is
 * slow. Nothing is put on the statement itself.
 */
export class HeldStatement {
  /** How the driver tells a running command that the connection is lost. Absent as that of the statement. */
  readonly onResult: ((error: Error) => void) | undefined
  readonly #command: StatementCommand
  readonly #connection: RunningConnection
  readonly #clock: InjectionContext['clock']
  readonly #stages: readonly Stage[]
  /** What the server is to run in this turn. The first one is running. */
  readonly #commands: Runnable[] = []
  #state: 'waiting' | 'begun' | 'finished' | 'over' | 'lost' = 'waiting'
  #isExecuting = false
  #isTold = false

  /**
   * @param outermost The outermost fault, which has chosen the statement. Others may join until the statement is executed.
   */
  constructor(
    command: StatementCommand,
    connection: RunningConnection,
    outermost: Stage,
    clock: InjectionContext['clock'],
  ) {
    this.#command = command
    this.#connection = connection
    this.#clock = clock
    this.#stages = beginStages(this, outermost)
    this.onResult = command.onResult && ((error) => this.#onLost(error))
  }

  get command(): StatementCommand {
    return this.#command
  }

  stateName(): string {
    return 'held'
  }

  /**
   * Called by the driver when the turn of the statement comes, and for each packet of the server.
   *
   * @returns Whether the turn is over.
   */
  execute(packet: Packet | undefined): boolean {
    this.#isExecuting = true
    try {
      if (this.#state === 'waiting') this.#begin()
      if (this.#commands.length === 0 && packet?.isError() === true) {
        this.#tell(packet.asError(this.#connection.clientEncoding))
        this.#state = 'finished'
      }
      let received = packet
      while (this.#commands[0] !== undefined) {
        if (!this.#commands[0].execute(received, this.#connection)) return false
        received = undefined
        this.#commands.shift()
      }
      if (this.#state !== 'finished') return false
      this.#state = 'over'
      return true
    } finally {
      this.#isExecuting = false
    }
  }

  #begin(): void {
    this.#state = 'begun'
    this.#command._connection = this.#connection
    const { timeout = 0 } = this.#command
    // The driver starts its timeout when it sends a statement.
    const stopTimeout =
      timeout > 0
        ? this.#clock.after(timeout, () => this.#tell(mysqlErrors['mysql/query-timeout']()))
        : (): void => undefined
    let wasSent = false
    const send = (isFirst: boolean): Promise<Reply> => {
      if (this.#isGone()) return Promise.reject(closedState())
      wasSent = true
      return this.#run((onResult) => copyOf(this.#command, onResult, isFirst))
    }
    answerInStages(this.#stages, { on: { isGone: () => this.#isGone() }, send })
      .finally(stopTimeout)
      .then(
        (reply) => this.#onAnswer(reply, wasSent),
        (error: unknown) => this.#onError(error as Error, wasSent),
      )
  }

  /** Lets the server run a command in this turn, or after it if it is over. */
  #run(make: (onResult: (error: Error | null, rows?: unknown, fields?: unknown) => void) => Runnable): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const command = make((error, rows, fields) => (error === null ? resolve([rows, fields]) : reject(error)))
      if (this.#state === 'over') {
        this.#connection.addCommand(exempt(command))
        return
      }
      this.#commands.push(command)
      if (this.#commands.length === 1) this.#goOn()
    })
  }

  async #onAnswer(reply: unknown, wasSent: boolean): Promise<void> {
    if (!wasSent && endsTransaction(textOf(this.#command))) await this.#rollBack()
    this.#settle(() => this.#tell(null, Array.isArray(reply) ? (reply as unknown as Reply) : [reply, undefined]))
  }

  async #onError(error: Error, wasSent: boolean): Promise<void> {
    if (injectedBy(error) !== undefined) {
      if (Object.hasOwn(error, 'sql')) Object.assign(error, { sql: this.#command.sql })
      if (meansBroken(error)) {
        if (!this.#isGone()) {
          loseConnection(this.#connection, error)
          return
        }
      } else if (!wasSent) {
        const rollsBack = Reflect.get(error, 'errno') === DEADLOCK || endsTransaction(textOf(this.#command))
        if (rollsBack) await this.#rollBack()
      }
    }
    this.#settle(() => this.#tell(error))
  }

  async #rollBack(): Promise<void> {
    if (this.#isGone()) return
    const { constructor, config } = this.#connection
    await this.#run((onResult) => constructor.createQuery('ROLLBACK', undefined, () => onResult(null), config))
  }

  /** Ends the turn. Runs callbacks outside of promises, so that their errors are uncaught exceptions of the application. */
  #settle(tell: () => void): void {
    process.nextTick(() => {
      try {
        tell()
        if (this.#state !== 'lost') this.#command.emit('end')
      } finally {
        if (this.#state === 'begun') this.#state = 'finished'
        if (this.#commands.length === 0) this.#goOn()
      }
    })
  }

  /** Lets the driver call `execute`, if it is the turn of this statement. */
  #goOn(): void {
    if (!this.#isExecuting && this.#connection._command === this) this.#connection.handlePacket()
  }

  #onLost(error: Error): void {
    this.#state = 'lost'
    for (const command of this.#commands) command.onResult?.(error)
    this.#tell(error)
  }

  #tell(error: Error | null, [rows, fields]: Reply = [undefined, undefined]): void {
    if (this.#isTold) return
    this.#isTold = true
    const { onResult } = this.#command
    if (onResult === undefined) {
      if (error !== null) this.#command.emit('error', error)
    } else if (error !== null) onResult(error)
    else if (fields === undefined) onResult(null, rows)
    else onResult(null, rows, fields)
  }

  /** Whether the connection is closed or closing, so that the driver never answers. */
  #isGone(): boolean {
    const { stream, _closing } = this.#connection
    return this.#state === 'lost' || stream.destroyed || _closing === true
  }
}

/** Makes the driver's error for a statement on a broken connection. */
function closedState(): Error {
  return Object.assign(new Error("Can't add new command when connection is in closed state"), { fatal: true })
}
