import { connect, discover, type ControlClient, type LocalProcess } from '@chaos/control'
import { isChaosError } from '@chaos/core'
import { chooseLocal } from './choose.js'
import { eventOfApp, eventOfEntry, RecentEvents } from './recent-events.js'

/** The longest wait for the answer of each process, in ms. One that is broken may be slow to answer. */
export const DISCOVER_TIMEOUT_MS = 5_000

/** A connection to one process. */
export interface Connection {
  readonly process: LocalProcess
  readonly client: ControlClient
  readonly events: RecentEvents
  /** The ids of injections that this server armed and that may be in force. */
  readonly armed: Set<string>
}

/** The connections of the server, one for each process that a tool was used on. */
export class Connections {
  readonly #opening = new Map<string, Promise<Connection>>()
  readonly #open = new Map<string, Connection>()
  readonly #actor: () => string
  #isClosed = false

  /** @param actor What the audit logs of the processes call this server, at the time of a connection. */
  constructor(actor: () => string) {
    this.#actor = actor
  }

  /** Lists the local processes. */
  list(): Promise<readonly LocalProcess[]> {
    return discover({ timeoutMs: DISCOVER_TIMEOUT_MS })
  }

  /** The process that a tool names. @throws ChaosError `CHAOS_NO_PROCESS` or `CHAOS_SEVERAL_PROCESSES` */
  async choose(asked: string | undefined): Promise<LocalProcess> {
    return chooseLocal(await this.list(), asked)
  }

  /** Connects to a process, or returns the connection that is open. @throws ChaosError as `connect` of @chaos/control does */
  async to(process: LocalProcess): Promise<Connection> {
    const { socketPath } = process
    const known = this.#open.get(socketPath) ?? this.#opening.get(socketPath)
    if (known !== undefined) return known
    const opening = this.#connect(process).finally(() => this.#opening.delete(socketPath))
    this.#opening.set(socketPath, opening)
    return opening
  }

  async #connect(process: LocalProcess): Promise<Connection> {
    const client = await connect({ socketPath: process.socketPath }, { actor: this.#actor() })
    if (this.#isClosed) await client.close()
    const events = new RecentEvents()
    const armed = new Set<string>()
    try {
      client.follow((entry) => {
        events.add(eventOfEntry(entry))
        if (entry.type === 'ended') armed.delete(entry.injection.id)
      })
      client.onAppEvent((event) => events.add(eventOfApp(event)))
    } catch (error) {
      // The process has too many listeners. Its injections can be listed and stopped nevertheless.
      if (!isChaosError(error, 'CHAOS_TOO_MANY_REQUESTS')) throw error
    }
    const connection: Connection = { process, client, events, armed }
    this.#open.set(process.socketPath, connection)
    void client.closed.then(() => this.#open.delete(process.socketPath))
    return connection
  }

  /** The connections that are open. One that is being made is not waited for: its process may hang. */
  open(): readonly Connection[] {
    return [...this.#open.values()]
  }

  /** Stops what this server armed, whether held by its connections or by a lease, and disconnects. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(
      this.open().map(async ({ client, armed }) => {
        await Promise.allSettled([...armed].map((id) => client.stop(id)))
        await client.close()
      }),
    )
  }
}
