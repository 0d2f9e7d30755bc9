import { ChaosError, type Clock } from '@chaos/core'
import { builtin, messageOf, systemClock } from '@chaos/core/authoring'
import importedThreads, { type MessagePort, type Worker } from 'node:worker_threads'
import { noData } from './no-data.js'
import { receivedError } from './sent-error.js'
import {
  STARTED,
  type Answer,
  type FromThread,
  type Question,
  type Readings,
  type Report,
  type ThreadProxy,
} from './thread-proxy.js'

const threads = builtin('node:worker_threads', importedThreads)

/** How long the thread may take to start, in ms: the machine may be busy. */
const START_MS = 30_000
/** After how long without an answer the thread is asked whether it is alive, in ms. Shorter than an undo step may take. */
const ANSWER_MS = 3_000
/** How often this thread waits that long for a reading: after a pause of the whole process, a wait is over at once. */
const MAX_WAITS = 4

interface Asked {
  readonly answered: (answer: Answer) => void
  readonly failed: (error: ChaosError) => void
}

type ArgsOf<Name extends keyof ThreadProxy> = Parameters<ThreadProxy[Name]>
type AnswerOf<Name extends keyof ThreadProxy> = Awaited<ReturnType<ThreadProxy[Name]>>

/** What a channel needs. */
export interface ChannelSettings {
  /** The name of the proxy, for messages. */
  readonly name: string
  readonly thread: Worker
  readonly port: MessagePort
  /** Shared memory that counts what the thread has said. */
  readonly said: Int32Array
  readonly onReport: (report: Report) => void
  /** Called once if the thread ends, or is ended for want of answers, before {@link ThreadChannel.close}. */
  readonly onLost: (error: ChaosError) => void
  /** Default: the real clock. */
  readonly clock?: Clock
  /** How long the thread may take to say that it is alive, in ms of real time. Default 1,000. */
  readonly aliveMs?: number
}

/** Questions to the thread of a proxy, and its answers. It keeps the process alive only as {@link keepAlive} says, and while it waits. */
export class ThreadChannel {
  readonly #settings: ChannelSettings
  readonly #asked = new Map<number, Asked>()
  readonly #reports: Report[] = []
  #isReporting = false
  #lastId = STARTED
  #waiting = 0
  #keepsAlive = false
  #crash: unknown
  #over: ChaosError | undefined

  constructor(settings: ChannelSettings) {
    const { thread, port } = settings
    this.#settings = settings
    thread.on('error', (error) => (this.#crash = error))
    thread.once('exit', (code) => {
      this.#read()
      const why = this.#crash === undefined ? `exit code ${code}` : messageOf(this.#crash)
      this.#lose(this.#closed(`has ended (${why})`, this.#crash))
    })
    port.on('message', (message: FromThread) => this.#take(message))
    port.unref()
  }

  /** Why nothing can be asked any more. */
  get over(): ChaosError | undefined {
    return this.#over
  }

  /** Whether the thread keeps the process alive. */
  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#hold(0)
  }

  /** Waits for the first answer: that the proxy is there. */
  started<Value>(): Promise<Value> {
    return this.#answer(STARTED, START_MS) as Promise<Value>
  }

  /** Asks. Rejects with the error of the thread, or `CHAOS_PROXY_CLOSED` if there is no thread, or it has stopped to answer. */
  async request<Name extends keyof ThreadProxy>(name: Name, ...args: ArgsOf<Name>): Promise<AnswerOf<Name>> {
    return (await this.#answer(this.#ask(name, args), ANSWER_MS)) as AnswerOf<Name>
  }

  /**
   * Asks, and blocks this thread until the answer is there. All reports that are older than the answer are told before.
   *
   * @throws The error of the thread, or `CHAOS_PROXY_CLOSED` if there is no thread, or it has stopped to answer.
   */
  read<Name extends keyof Readings>(name: Name, ...args: ArgsOf<Name>): AnswerOf<Name> {
    const answer = this.#awaitSync(this.#ask(name, args), MAX_WAITS)
    if (answer === undefined) throw this.#over ?? this.#giveUp()
    return valueOf(answer) as AnswerOf<Name>
  }

  /** Ends the thread. What is asked from now on is refused. */
  async close(): Promise<void> {
    this.#over ??= new ChaosError(
      'CHAOS_PROXY_CLOSED',
      `The proxy ${this.#settings.name} is closed. Make another one with \`createProxy\`.`,
    )
    this.#failAll(this.#over)
    await this.#settings.thread.terminate()
  }

  #ask(name: keyof ThreadProxy, args: readonly unknown[]): number {
    if (this.#over !== undefined) throw this.#over
    const id = (this.#lastId += 1)
    try {
      this.#settings.port.postMessage({ id, name, args } satisfies Question)
    } catch (error) {
      throw noData(`What \`${name}\` of the proxy ${this.#settings.name} was given`, error)
    }
    return id
  }

  #answer(id: number, withinMs: number): Promise<unknown> {
    const { clock = systemClock } = this.#settings
    return new Promise((resolve, reject) => {
      let cancel = (): void => undefined
      const check = (): void => {
        // The answer may have come while this thread was blocked, or be late for a good reason.
        this.#read()
        if (this.#asked.has(id) && this.#isAlive()) cancel = clock.after(withinMs, check)
      }
      const over = (settle: () => void): void => {
        cancel()
        this.#asked.delete(id)
        this.#hold(-1)
        settle()
      }
      this.#hold(1)
      this.#asked.set(id, {
        answered: (answer) =>
          over(() => ('error' in answer ? reject(receivedError(answer.error)) : resolve(answer.value))),
        failed: (error) => over(() => reject(error)),
      })
      cancel = clock.after(withinMs, check)
      if (this.#over !== undefined) this.#failAll(this.#over)
    })
  }

  #isAlive(): boolean {
    if (this.#over !== undefined) return false
    if (this.#awaitSync(this.#ask('counters', []), 1) !== undefined) return true
    this.#giveUp()
    return false
  }

  /** Blocks this thread until the answer is there, or so many waits are over. */
  #awaitSync(id: number, waits: number): Answer | undefined {
    const { aliveMs = 1_000 } = this.#settings
    let answer: Answer | undefined
    this.#asked.set(id, { answered: (given) => (answer = given), failed: () => undefined })
    for (let left = waits; ;) {
      const heard = Atomics.load(this.#settings.said, 0)
      this.#read()
      if (answer !== undefined || left === 0 || this.#over !== undefined) break
      if (Atomics.wait(this.#settings.said, 0, heard, aliveMs) === 'timed-out') left -= 1
    }
    this.#asked.delete(id)
    return answer
  }

  /** Takes all that the thread has said, without a turn of the event loop. */
  #read(): void {
    for (;;) {
      const got: { message: FromThread } | undefined = threads.receiveMessageOnPort(this.#settings.port)
      if (got === undefined) return
      this.#take(got.message)
    }
  }

  #take(message: FromThread): void {
    if ('report' in message) {
      this.#reports.push(message.report)
      this.#tell()
    } else this.#asked.get(message.id)?.answered(message)
  }

  /** Tells reports one after the other, also if somebody reads the proxy who hears of one. */
  #tell(): void {
    if (this.#isReporting) return
    this.#isReporting = true
    for (let report = this.#reports.shift(); report !== undefined; report = this.#reports.shift())
      this.#settings.onReport(report)
    this.#isReporting = false
  }

  #hold(change: number): void {
    const { thread } = this.#settings
    this.#waiting += change
    if (this.#keepsAlive || this.#waiting > 0) thread.ref()
    else thread.unref()
  }

  #giveUp(): ChaosError {
    const error = this.#closed('did not answer, and was ended')
    void this.#settings.thread.terminate()
    this.#lose(error)
    return error
  }

  #closed(what: string, cause?: unknown): ChaosError {
    return new ChaosError(
      'CHAOS_PROXY_CLOSED',
      `The worker thread of the proxy ${this.#settings.name} ${what}. Its connections are closed. Make another one with \`createProxy\`.`,
      cause === undefined ? {} : { cause },
    )
  }

  #lose(error: ChaosError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#failAll(error)
    this.#settings.onLost(error)
  }

  #failAll(error: ChaosError): void {
    for (const { failed } of [...this.#asked.values()]) failed(error)
  }
}

function valueOf(answer: Answer): unknown {
  if ('error' in answer) throw receivedError(answer.error)
  return answer.value
}
