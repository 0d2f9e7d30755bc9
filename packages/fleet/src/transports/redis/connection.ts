import { ChaosError } from '@chaos/core'
import { exempt } from '@chaos/core/authoring'
import type { Redis } from 'ioredis'
import { TimeOut, within } from '../within.js'
import { exemptConnector } from './connector.js'
import { fleetError, isReply } from './errors.js'
import { shownAddress, type CheckedRedisOptions } from './options.js'

/** The most bytes that may come between two calls: more than the longest plan, or the longest list of instances. */
const MAX_BYTES = { agent: 4_194_304, controller: 167_772_160 } as const

/** One attempt to connect, and the client that came of it. */
class Attempt {
  readonly ready: Promise<Redis>
  #client: Redis | undefined
  /** Why it was given up; `undefined`: it was not. */
  #dropped: Error | undefined

  constructor(
    Client: typeof Redis,
    options: CheckedRedisOptions,
    ref: boolean,
    mayTake: (sizeBytes: number) => boolean,
    onEnd: () => void,
  ) {
    this.ready = this.#open(Client, options, exemptConnector(options.address, ref, mayTake), onEnd)
    // Whoever waits for it gets the failure. Nobody may wait.
    this.ready.catch(onEnd)
  }

  /** Gives it up. @param why What all who wait for it are told. */
  drop(why: Error): void {
    this.#dropped ??= why
    this.#client?.disconnect()
  }

  async #open(
    Client: typeof Redis,
    { address, timeoutMs, fleet }: CheckedRedisOptions,
    connector: ReturnType<typeof exemptConnector>,
    onEnd: () => void,
  ): Promise<Redis> {
    const { host, port, path, username, password, db, tls } = address
    const client = exempt(
      new Client({
        Connector: connector,
        ...(path === undefined ? { host, port } : { path }),
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...(tls !== undefined && { tls }),
        db,
        connectionName: `chaos-fleet:${fleet}`,
        connectTimeout: timeoutMs,
        lazyConnect: true,
        // A late command could act on what is no longer so. The next call connects again.
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        autoResubscribe: false,
        maxRetriesPerRequest: 0,
        retryStrategy: null,
        // These ask for commands that a role need not have.
        enableReadyCheck: false,
        disableClientInfo: true,
      }),
    )
    this.#client = client
    let failure: unknown
    client.on('error', (error) => (failure ??= error))
    client.on('end', onEnd)
    try {
      await client.connect()
      // A client counts as ready before Redis has accepted its password.
      const answer: string = await client.ping()
      // ioredis throws at what it does not expect as the answer to SUBSCRIBE, where nobody could catch it.
      if (answer !== 'PONG') throw new Error('It does not answer as Redis does')
      return client
    } catch (error) {
      client.disconnect()
      throw this.#dropped ?? failure ?? error
    }
  }
}

let loaded: typeof Redis | undefined

/** Loads ioredis when it is needed: an application without Redis need not have it. */
async function loadIoredis(): Promise<typeof Redis> {
  try {
    return (loaded = (await import('ioredis')).Redis)
  } catch (error) {
    throw new ChaosError(
      'CHAOS_FLEET_UNREACHABLE',
      'The package ioredis could not be loaded. Install it beside @chaos/fleet: `npm install ioredis`.',
      { cause: error },
    )
  }
}

/**
 * A connection to Redis that is there when it is used: each call connects if there is no connection, so the pace of the calls
 * is the pace of the attempts. It keeps nothing for later, and no fault affects it.
 */
export class Connection {
  readonly #options: CheckedRedisOptions
  readonly #ref: boolean
  /** How many bytes may still come until the next call. */
  #left = 0
  #attempt: Attempt | undefined
  #isClosed = false

  /** @param ref Whether the connection keeps the process alive between calls. */
  constructor(options: CheckedRedisOptions, ref: boolean) {
    this.#options = options
    this.#ref = ref
  }

  /** Whether there is a connection, or an attempt at one. */
  get isOpen(): boolean {
    return this.#attempt !== undefined
  }

  /**
   * Does something with a client, within `timeoutMs`, connecting included, and loading ioredis not. A connection that did not answer in time is dropped,
   * and so is one to a server that has become a replica.
   *
   * @param ref Whether the wait for it keeps the process alive. Default: as the connection does.
   * @throws ChaosError `CHAOS_FLEET_UNREACHABLE`, `CHAOS_FLEET_FORBIDDEN`
   */
  async use<T>(work: (client: Redis) => Promise<T>, ref = this.#ref): Promise<T> {
    // Once it is loaded, a call is on its way when this returns.
    const attempt = this.#connected(loaded ?? (await loadIoredis()))
    this.#left = this.#ref ? MAX_BYTES.controller : MAX_BYTES.agent
    try {
      return await within(this.#options.timeoutMs, attempt.ready.then(work), ref)
    } catch (error) {
      if (error instanceof TimeOut || (error instanceof Error && isReply(error, 'READONLY'))) this.#drop(attempt, error)
      throw fleetError(error, shownAddress(this.#options.address))
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#attempt !== undefined) this.#drop(this.#attempt, closed())
  }

  #connected(Client: typeof Redis): Attempt {
    if (this.#isClosed) throw fleetError(closed(), shownAddress(this.#options.address))
    if (this.#attempt !== undefined) return this.#attempt
    const mayTake = (sizeBytes: number): boolean => (this.#left -= sizeBytes) >= 0
    const attempt: Attempt = new Attempt(Client, this.#options, this.#ref, mayTake, () => this.#forget(attempt))
    this.#attempt = attempt
    return attempt
  }

  #drop(attempt: Attempt, why: Error): void {
    attempt.drop(why)
    this.#forget(attempt)
  }

  #forget(attempt: Attempt): void {
    if (this.#attempt === attempt) this.#attempt = undefined
  }
}

const closed = (): Error => new Error('The connection was closed')
