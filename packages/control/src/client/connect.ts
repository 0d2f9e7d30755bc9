import * as v from 'valibot'
import {
  ChaosError,
  isChaosError,
  type ChaosController,
  type Clock,
  type InjectionState,
  type PortableInjectOptions,
  type StopReport,
} from '@chaos/core'
import {
  checkOptions,
  option,
  optionsSchema,
  printable,
  systemClock,
  DEFAULT_LEASE_MS,
  MAX_TIMER_MS,
} from '@chaos/core/authoring'
import type { AppEvent } from '../api/app-event.js'
import {
  controllerInfoSchema,
  faultInfoSchema,
  injectionStateSchema,
  plainInfo,
  plainState,
  stopReportSchema,
  targetInfoSchema,
} from '../api/schemas.js'
import { reach, type Address } from './address.js'
import { openEventSocket } from './event-socket.js'
import { noEvents } from './no-events.js'
import { checkPortable } from '../api/portable.js'
import { call, unreachable, type ClientCall } from './request.js'

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** The longest that an answer may take, in ms. Arming a fault may take its lease longer, stopping 10 s. Default 10,000. */
  readonly requestTimeoutMs?: number
  /** Default: the real clock. */
  readonly clock?: Clock
}

/** How a client puts a fault in force. */
export interface RemoteInjectOptions extends PortableInjectOptions {
  /**
   * What keeps the fault in force. `lease`: only its lease. `connection`: this client too, so the fault ends at once when the client closes
   * or dies. Default `lease`.
   */
  readonly hold?: 'lease' | 'connection'
}

/** A controller in another process. */
export interface ControlClient extends ChaosController {
  inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: RemoteInjectOptions,
  ): Promise<InjectionState>
  check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: RemoteInjectOptions,
  ): Promise<void>
  /** Listens to the events that the app sends with `notify`. @returns Stops listening. */
  onAppEvent(listener: (event: AppEvent) => void): () => void
  /** Hits that the server left out of the stream because they came faster than they could be sent. The counts of an injection are exact all the same. */
  readonly droppedHits: number
  /** Resolves when the connection is gone, whichever side ended it. Never rejects. */
  readonly closed: Promise<void>
  /** Ends what this client holds, then disconnects. Calling it again is harmless. */
  close(): Promise<void>
}

const connectSchema = optionsSchema({
  requestTimeoutMs: option.optional(option.durationMs('The longest that an answer may take, in ms.'), 10_000),
})
/** The longest list that is taken from a process. */
const MAX_LISTED = 10_000

/** A list whose length is looked at before anything in it. */
function listOf<Schema extends v.GenericSchema>(schema: Schema) {
  const tooLong = `Expected a list of at most ${MAX_LISTED} entries`
  return v.pipe(v.array(v.unknown()), v.maxLength(MAX_LISTED, tooLong), v.array(schema))
}

const holdSchema = v.optional(v.picklist(['lease', 'connection']), 'lease')

/** How much longer an answer may take that waits for a rollback, in ms. Undo steps that do not settle are given up within that time. */
const TAKING_BACK_MS = 10_000

/**
 * Connects to the control endpoint of a running process.
 *
 * Where the endpoint has no event stream to give (as many as it takes are open, or too many requests came), the client is connected without one: it
 * lists and stops, and `follow`, `onAppEvent` and `hold: 'connection'` are refused with what the endpoint said.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE`, `CHAOS_UNAUTHORIZED`, `CHAOS_FORBIDDEN`, `CHAOS_INVALID_OPTION`
 */
export async function connect(
  address: Address,
  { clock = systemClock, ...given }: ConnectOptions = {},
): Promise<ControlClient> {
  const { requestTimeoutMs } = checkOptions(connectSchema, given, 'connect')
  const endpoint = reach(address)
  const events = await openEventSocket(endpoint, clock, requestTimeoutMs).catch((error: unknown) => {
    if (isChaosError(error, 'CHAOS_TOO_MANY_REQUESTS')) return noEvents(error)
    throw error
  })
  const takingBackMs = Math.min(requestTimeoutMs + TAKING_BACK_MS, MAX_TIMER_MS)
  const held = new Set<string>()
  const gone = new AbortController()
  void events.closed.then(() => gone.abort(unreachable(endpoint, 'closed the connection')))

  function ask<Schema extends v.GenericSchema>(
    sent: Pick<ClientCall<Schema>, 'method' | 'path' | 'body' | 'expects'> & { readonly timeoutMs?: number },
  ): Promise<v.InferOutput<Schema>> {
    if (events.isClosed) return Promise.reject(unreachable(endpoint, 'is no longer connected'))
    return call(endpoint, { timeoutMs: requestTimeoutMs, clock, signal: gone.signal, ...sent })
  }

  /** As in process: listeners get the entries of a change before the caller gets its answer. */
  async function change<Schema extends v.GenericSchema>(
    sent: Parameters<typeof ask<Schema>>[0],
  ): Promise<v.InferOutput<Schema>> {
    const answer = await ask(sent)
    await events.caughtUp()
    return answer
  }

  /** The body of a request to inject or to check. @throws ChaosError `CHAOS_INVALID_OPTION` for data that is not JSON. */
  function requestOf(
    target: string,
    fault: string,
    options: Readonly<Record<string, unknown>> | undefined,
    { hold: asked, ...rest }: RemoteInjectOptions,
  ): { readonly hold: 'lease' | 'connection'; readonly body: object } {
    const hold = v.safeParse(holdSchema, asked)
    if (!hold.success)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`hold\` to be \`lease\` or \`connection\`, got \`${printable(asked)}\`.`,
      )
    checkPortable(options, 'options')
    for (const [name, value] of Object.entries(rest)) checkPortable(value, name)
    return {
      hold: hold.output,
      body: {
        ...rest,
        target,
        fault,
        options,
        ...(hold.output === 'connection' ? { connection: events.connection } : {}),
      },
    }
  }

  async function inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how: RemoteInjectOptions = {},
  ): Promise<InjectionState> {
    const { hold, body } = requestOf(target, fault, options, how)
    // An instant fault is answered when it is done, and its lease bounds that.
    const timeoutMs = Math.min(
      requestTimeoutMs + (typeof how.leaseMs === 'number' ? how.leaseMs : DEFAULT_LEASE_MS),
      MAX_TIMER_MS,
    )
    const state = plainState(
      await change({ method: 'POST', path: '/injections', body, expects: injectionStateSchema, timeoutMs }),
    )
    if (hold === 'connection' && state.status !== 'ended') held.add(state.id)
    return state
  }

  async function check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how: RemoteInjectOptions = {},
  ): Promise<void> {
    await ask({
      method: 'POST',
      path: '/checks',
      body: requestOf(target, fault, options, how).body,
      expects: v.undefined_(),
    })
  }

  async function stop(id: string): Promise<InjectionState> {
    const state = plainState(
      await change({
        method: 'DELETE',
        path: `/injections/${encodeURIComponent(id)}`,
        expects: injectionStateSchema,
        timeoutMs: takingBackMs,
      }),
    )
    held.delete(id)
    return state
  }

  async function stopAll(): Promise<StopReport> {
    const { stopped } = await change({
      method: 'DELETE',
      path: '/injections',
      expects: stopReportSchema,
      timeoutMs: takingBackMs,
    })
    return { stopped: stopped.map(plainState) }
  }

  async function close(): Promise<void> {
    // Disconnecting would end them too, but without waiting for it.
    await Promise.allSettled([...held].map(stop))
    await events.close()
  }

  let closing: Promise<void> | undefined
  return {
    info: async () => plainInfo(await ask({ method: 'GET', path: '/info', expects: controllerInfoSchema })),
    targets: () => ask({ method: 'GET', path: '/targets', expects: listOf(targetInfoSchema) }),
    faults: () => ask({ method: 'GET', path: '/faults', expects: listOf(faultInfoSchema) }),
    injections: async () =>
      (await ask({ method: 'GET', path: '/injections', expects: listOf(injectionStateSchema) })).map(plainState),
    inject,
    check,
    stop,
    stopAll,
    follow: (listener) => events.follow(listener),
    onAppEvent: (listener) => events.onAppEvent(listener),
    get droppedHits() {
      return events.droppedHits
    },
    closed: events.closed,
    close: () => (closing ??= close()),
  }
}
