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
  /**
   * The longest wait for an answer, in ms. An inject call may take longer by the lease of its fault, a stop call by 10
   * s. Default 10,000.
   */
  readonly requestTimeoutMs?: number
  /** The clock for timeouts. Default: the system clock. */
  readonly clock?: Clock
}

/** Inject options of a client. */
export interface RemoteInjectOptions extends PortableInjectOptions {
  /**
   * When the fault ends. `lease`: when its lease ends. `connection`: at once when this client closes or dies, and at
   * the latest when its lease ends. Default `lease`.
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
  /** Calls the listener for each event that the app sends with `notify`. @returns Removes the listener. */
  onAppEvent(listener: (event: AppEvent) => void): () => void
  /**
   * The number of hits that the server left out of the stream because they came faster than they could be sent. The
   * counters of an injection are exact anyway.
   */
  readonly droppedHits: number
  /** Resolves when the connection is gone, whichever side ended it. Never rejects. */
  readonly closed: Promise<void>
  /** Ends the injections that this client holds, then disconnects. Further calls have no effect. */
  close(): Promise<void>
}

const connectSchema = optionsSchema({
  requestTimeoutMs: option.optional(option.durationMs('The longest wait for an answer, in ms.'), 10_000),
})
/** The longest list that is accepted from a process. */
const MAX_LISTED = 10_000

/** The schema of a list whose length is checked before its entries. */
function listOf<Schema extends v.GenericSchema>(schema: Schema) {
  const tooLong = `Expected a list of at most ${MAX_LISTED} entries`
  return v.pipe(v.array(v.unknown()), v.maxLength(MAX_LISTED, tooLong), v.array(schema))
}

const holdSchema = v.optional(v.picklist(['lease', 'connection']), 'lease')

/** The extra time for an answer that waits for a rollback, in ms. A process gives up unsettled undo steps within it. */
const ROLLBACK_MS = 10_000

/**
 * Connects to the control endpoint of a running process.
 *
 * If the endpoint refuses an event stream (too many are open, or too many requests came), the client connects without
 * one. Such a client can list and stop injections. `follow`, `onAppEvent` and `hold: 'connection'` throw the refusal.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` when no endpoint answers, `CHAOS_UNAUTHORIZED` when the token is
 *   wrong, `CHAOS_FORBIDDEN` when the endpoint rejects the host or origin, `CHAOS_INVALID_OPTION` when an option is
 *   invalid
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
  const takingBackMs = Math.min(requestTimeoutMs + ROLLBACK_MS, MAX_TIMER_MS)
  const held = new Set<string>()
  const gone = new AbortController()
  void events.closed.then(() => gone.abort(unreachable(endpoint, 'closed the connection')))

  function ask<Schema extends v.GenericSchema>(
    sent: Pick<ClientCall<Schema>, 'method' | 'path' | 'body' | 'expects'> & { readonly timeoutMs?: number },
  ): Promise<v.InferOutput<Schema>> {
    if (events.isClosed) return Promise.reject(unreachable(endpoint, 'is no longer connected'))
    return call(endpoint, { timeoutMs: requestTimeoutMs, clock, signal: gone.signal, ...sent })
  }

  /**
   * Sends a change. As with an in-process controller, listeners get its journal entries before the caller gets the
   * answer.
   */
  async function change<Schema extends v.GenericSchema>(
    sent: Parameters<typeof ask<Schema>>[0],
  ): Promise<v.InferOutput<Schema>> {
    const answer = await ask(sent)
    await events.caughtUp()
    return answer
  }

  /**
   * The body of an inject or check request.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is not JSON data
   */
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
    // The answer for an instant fault comes when the fault is done, at the latest when its lease ends.
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
    // Disconnecting would end them too, but nothing would wait for their rollback.
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
