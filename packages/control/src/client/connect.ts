import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { isChaosError, type Clock, type InjectionState, type StopReport } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock, MAX_TIMER_MS } from '@chaos/core/authoring'
import {
  auditEntrySchema,
  batchSchema,
  controllerInfoSchema,
  faultInfoSchema,
  injectionStateSchema,
  plainAuditEntry,
  plainInfo,
  plainState,
  stopReportSchema,
  targetInfoSchema,
} from '../api/schemas.js'
import { mintedScopeSchema, plainScope } from '../api/routes-scopes.js'
import { checkPortable } from '../api/portable.js'
import { defaultActor, MAX_ACTOR } from './actor.js'
import { reach, type Address } from './address.js'
import type { BatchedInjection, ControlClient, HoldOptions, RemoteInjectOptions } from './control-client.js'
import { openEventSocket } from './event-socket.js'
import { holdOf, injectBody, leaseOf } from './inject-request.js'
import { noEvents } from './no-events.js'
import { call, unreachable, type ClientCall } from './request.js'

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * The longest wait for an answer, in ms. An inject call may take longer by the lease of its fault, a stop call by 10
   * s. Default 10,000.
   */
  readonly requestTimeoutMs?: number
  /**
   * What the audit log of the process calls this client: up to 200 characters. Default: the user, the script and the id of
   * this process. A name only; the endpoint does not trust it.
   */
  readonly actor?: string
  /** The clock for timeouts. Default: the system clock. */
  readonly clock?: Clock
}

const connectSchema = optionsSchema({
  requestTimeoutMs: option.optional(option.durationMs('The longest wait for an answer, in ms.'), 10_000),
  actor: option.optional(option.text('What the audit log calls this client.', MAX_ACTOR)),
})
/** The longest list that is accepted from a process. */
const MAX_LISTED = 10_000

/** The schema of a list whose length is checked before its entries. */
function listOf<Schema extends v.GenericSchema>(schema: Schema) {
  const tooLong = `Expected a list of at most ${MAX_LISTED} entries`
  return v.pipe(v.array(v.unknown()), v.maxLength(MAX_LISTED, tooLong), v.array(schema))
}

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
  const { requestTimeoutMs, actor = defaultActor() } = checkOptions(connectSchema, given, 'connect')
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
    sent: Pick<ClientCall<Schema>, 'method' | 'path' | 'body' | 'key' | 'expects'> & { readonly timeoutMs?: number },
  ): Promise<v.InferOutput<Schema>> {
    if (events.isClosed) return Promise.reject(unreachable(endpoint, 'is no longer connected'))
    return call(endpoint, { timeoutMs: requestTimeoutMs, clock, signal: gone.signal, actor, ...sent })
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

  /** The part of a body that says what holds the injection. */
  const holding = (hold: 'lease' | 'connection'): object =>
    hold === 'connection' ? { connection: events.connection } : {}

  const within = (leaseMs: number): number => Math.min(requestTimeoutMs + leaseMs, MAX_TIMER_MS)

  function noteHeld(hold: 'lease' | 'connection', { id, status }: InjectionState): void {
    if (hold === 'connection' && status !== 'ended') held.add(id)
  }

  async function inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    { hold: asked, ...how }: RemoteInjectOptions = {},
  ): Promise<InjectionState> {
    const hold = holdOf(asked)
    const state = plainState(
      await change({
        method: 'POST',
        path: '/injections',
        body: { ...injectBody(target, fault, options, how), ...holding(hold) },
        key: randomUUID(),
        expects: injectionStateSchema,
        timeoutMs: within(leaseOf(how)),
      }),
    )
    noteHeld(hold, state)
    return state
  }

  async function injectAll(
    injections: readonly BatchedInjection[],
    { hold: asked }: HoldOptions = {},
  ): Promise<readonly InjectionState[]> {
    const hold = holdOf(asked)
    const bodies = injections.map(({ target, fault, options, ...how }) => injectBody(target, fault, options, how))
    const made = await change({
      method: 'POST',
      path: '/batches',
      body: { injections: bodies, ...holding(hold) },
      key: randomUUID(),
      expects: batchSchema,
      timeoutMs: within(injections.reduce((sum, one) => sum + leaseOf(one), 0)),
    })
    const states = made.injections.map(plainState)
    for (const state of states) noteHeld(hold, state)
    return states
  }

  async function check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    { hold, ...how }: RemoteInjectOptions = {},
  ): Promise<void> {
    const body = { ...injectBody(target, fault, options, how), ...holding(holdOf(hold)) }
    await ask({ method: 'POST', path: '/checks', body, expects: v.undefined_() })
  }

  async function renew(id: string, leaseMs: number): Promise<InjectionState> {
    return plainState(
      await change({
        method: 'POST',
        path: `/injections/${encodeURIComponent(id)}/renewals`,
        body: { leaseMs },
        key: randomUUID(),
        expects: injectionStateSchema,
      }),
    )
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
    audit: async () =>
      (await ask({ method: 'GET', path: '/audit', expects: listOf(auditEntrySchema) })).map(plainAuditEntry),
    inject,
    injectAll,
    check,
    renew,
    mintScope: async (options = {}) => {
      checkPortable(options, 'options')
      return plainScope(await ask({ method: 'POST', path: '/scopes', body: options, expects: mintedScopeSchema }))
    },
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
