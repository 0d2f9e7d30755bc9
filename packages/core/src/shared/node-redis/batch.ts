import { AsyncResource } from 'node:async_hooks'
import type { HeldOn } from '../../fault/fault.js'
import type { CommandArgs, CommandOptions, CommandQueue, QueuePlace, RedisClient } from './client.js'
import { during } from './current-call.js'
import { dueArgs, plainArgs } from './due-args.js'
import type { HeldCommand, HeldCommands } from './held-commands.js'
import { limitsOf } from './limits.js'

/** What decides on the commands of node-redis, and answers those that it takes. */
export interface CommandTap {
  /**
   * Decides on a command, or on all commands of a transaction, when it is due to be written. Runs in the async context of
   * the caller.
   *
   * @returns The command to take, with all of its transaction. `undefined`: they are written.
   */
  readonly choose: (commands: readonly CommandArgs[]) => CommandArgs | undefined
  /** Answers a command that was taken, or the `EXEC` of a transaction. */
  readonly answer: (taken: TakenCommand) => Promise<unknown>
}

/** A command, or a transaction, that its client counts as sent. Nothing of it was written. */
export interface TakenCommand {
  readonly client: RedisClient
  readonly args: CommandArgs
  readonly isTransaction: boolean
  readonly on: HeldOn
  /**
   * Sends the command or the transaction. Every call sends it again.
   *
   * @param args Sends a single command with other arguments.
   * @returns The reply: that of `EXEC` for a transaction.
   */
  readonly send: (args?: CommandArgs) => Promise<unknown>
}

/** The parts of one injection that all of its batches share. */
export interface BatchParts {
  readonly tap: CommandTap
  readonly place: QueuePlace
  readonly held: HeldCommands
  readonly isOver: () => boolean
  /** The function of the queue beneath the fault. */
  readonly addCommand: (queue: CommandQueue, args: CommandArgs, options?: CommandOptions) => Promise<unknown>
}

interface Member {
  readonly args: CommandArgs
  readonly options: CommandOptions | undefined
  readonly isAsking: boolean
  readonly held: HeldCommand
}

const TAKEN = new Error('A fault has taken the command.')
const nothing = (): void => undefined

/** A command that stands alone, or the commands of one transaction: what a fault affects as a whole. */
export class Batch {
  readonly #parts: BatchParts
  readonly #queue: CommandQueue
  readonly #client: RedisClient
  readonly #isTransaction: boolean
  readonly #members: Member[] = []
  readonly #caller = new AsyncResource('ChaosCommand', { requireManualDestroy: true })
  #chosen: CommandArgs | undefined
  #isDecided = false
  #answer: Promise<unknown> | undefined

  constructor(parts: BatchParts, queue: CommandQueue, client: RedisClient, isTransaction: boolean) {
    this.#parts = parts
    this.#queue = queue
    this.#client = client
    this.#isTransaction = isTransaction
  }

  /**
   * Queues a command.
   *
   * @param isAsking Whether the command needs an `ASKING` before it.
   */
  add(args: CommandArgs, options: CommandOptions | undefined, isAsking: boolean): Promise<unknown> {
    const { place, addCommand } = this.#parts
    const member: Member = { args, options, isAsking, held: {} }
    this.#members.push(member)
    const limits = limitsOf(options, place)
    const marked = dueArgs(args, () => {
      limits.lift()
      this.#onDue(member)
    })
    return addCommand(this.#queue, marked, limits.options).catch((error: unknown) => {
      limits.lift()
      if (error !== TAKEN || this.#chosen === undefined) throw limits.errorOf(error)
      return this.#outcomeOf(member)
    })
  }

  #onDue(member: Member): void {
    const { tap, held, isOver } = this.#parts
    if (!this.#isDecided && !isOver()) {
      const commands = this.#members.map(({ args }) => plainArgs(args))
      this.#chosen = this.#caller.runInAsyncScope(tap.choose, tap, commands)
    }
    this.#isDecided = true
    if (this.#chosen === undefined) return
    held.add(this.#queue, member.held)
    throw TAKEN
  }

  /** The outcome of a command that was taken: its answer, or the error by which its client has failed it. */
  async #outcomeOf(member: Member): Promise<unknown> {
    try {
      return await new Promise((resolve, reject) => {
        if (member.held.failure === undefined) member.held.fail = reject
        else reject(member.held.failure.error)
        this.#answer ??= this.#caller.runInAsyncScope(() => this.#answered())
        this.#answer.then((answer) => resolve(this.#partOf(answer, member)), reject)
      })
    } finally {
      this.#settle(member)
    }
  }

  /** One injected acknowledgement answers each command of a transaction. */
  #partOf(answer: unknown, member: Member): unknown {
    if (!this.#isTransaction) return answer
    if (member !== this.#members.at(-1)) return 'QUEUED'
    return Array.isArray(answer) || answer === null ? answer : this.#members.slice(1, -1).map(() => answer)
  }

  #answered(): Promise<unknown> {
    return this.#parts.tap.answer({
      client: this.#client,
      args: this.#chosen as CommandArgs,
      isTransaction: this.#isTransaction,
      on: { isGone: () => this.#failure() !== undefined || this.#isClosed() },
      send: (args) => this.#send(args),
    })
  }

  #failure(): HeldCommand['failure'] {
    return this.#members.find(({ held }) => held.failure !== undefined)?.held.failure
  }

  /** A client that closes is not open, and ready until it has its last reply. */
  #isClosed(): boolean {
    return !this.#client.isOpen && !this.#client.isReady
  }

  async #send(changed: CommandArgs | undefined): Promise<unknown> {
    const { held, addCommand } = this.#parts
    const failure = this.#failure()
    if (failure !== undefined) throw failure.error
    // A closed client rejects the empty pipeline, too.
    if (this.#isClosed()) return this.#client._executePipeline([])
    const call = this.#isTransaction
      ? { client: this.#client, transactions: new Map<object, unknown>() }
      : { client: this.#client }
    const write = (args: CommandArgs, options: CommandOptions): Promise<unknown> =>
      held.write(this.#client, () => during(call, () => addCommand(this.#queue, args, options)))
    const replies = this.#members.map((member) => {
      member.held.isSent = true
      const options = { ...member.options, abortSignal: undefined, timeout: undefined }
      if (member.isAsking) write(['ASKING'], options).catch(nothing)
      return write(changed ?? member.args, options)
    })
    return (await Promise.all(replies)).at(-1)
  }

  /** A client that closes looks after each reply whether it was the last. An injected answer is none, so a real one follows. */
  #settle(member: Member): void {
    const { held, addCommand } = this.#parts
    held.remove(this.#queue, member.held)
    if (this.#client.isOpen || !this.#client.isReady || !this.#queue.isEmpty()) return
    held.write(this.#client, () => addCommand(this.#queue, ['PING'])).catch(nothing)
  }
}
