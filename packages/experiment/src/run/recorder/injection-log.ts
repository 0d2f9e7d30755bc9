import {
  isChaosError,
  type ChaosController,
  type Clock,
  type Injection,
  type InjectionOutcome,
  type InjectionState,
  type PortableInjectOptions,
} from '@chaos/core'
import { inWords } from '../../shared/answer.js'
import type { InjectStep } from '../../model/experiment.js'
import { withTimeout } from '../../shared/time.js'
import type { RunInjection } from '../../evidence/evidence.js'

/** The longest wait for a controller's answer, in ms. */
const ANSWER_TIMEOUT_MS = 10_000
/**
 * The longest wait for a rollback, in ms. A process gives up undo steps that do not settle within 10 s and then reports
 * them, so this limit is longer.
 */
const STOP_TIMEOUT_MS = 12_000
/**
 * The longest wait for the end of an injection that spans several processes, in ms. Its controller waits for the lease of each
 * process that does not answer, which is at most 60 s, and begins when the order to end has arrived.
 */
const STOP_ALL_TIMEOUT_MS = 130_000

/** The injections of one run. */
export interface InjectionLog {
  states(): readonly RunInjection[]
  readonly failures: readonly string[]
  /** Injects a fault. Never rejects; a failure is recorded. */
  inject(step: InjectStep, id: string): Promise<void>
  /** Requests the current states from the controller. Never rejects. */
  refresh(signal?: AbortSignal): Promise<void>
  /** Stops one injection. Never rejects. @returns Why stopping failed; `undefined` if it succeeded. */
  stop(id: string): Promise<string | undefined>
  /** Stops all injections, including those still being armed. Never rejects. @returns The failures. */
  stopAll(): Promise<readonly string[]>
  /** Stops following the controller's events. */
  close(): void
}

interface Entry {
  /** The id assigned by the controller; before its answer, the requested id. */
  id: string
  /** When the controller armed the injection, as it answered. Identifies the states that belong to this run. */
  armedAt: number | undefined
  state: InjectionState | undefined
  /** The final state of an injection that was refused, as the controller told it while it was asked. */
  refused: InjectionState | undefined
  readonly own: OwnTimes
}

/** The times at which this run observed an injection, by its own clock. */
type OwnTimes = { -readonly [Key in Exclude<keyof RunInjection, keyof InjectionState>]: RunInjection[Key] }

/** How an injection ends whose call is refused. */
const REFUSED: ReadonlySet<InjectionOutcome> = new Set<InjectionOutcome>(['failed', 'stopped', 'aborted'])
/** The most processes of one injection that are recorded one by one. */
const MAX_INSTANCES = 1_000
/** The most states that are kept until the answer to their inject call arrives. */
const MAX_ASIDE = 1_000

/** The inject options of a step, exactly as they are sent to the controller. */
export function injectOptionsOf(
  { target: _target, fault: _fault, options: _options, forMs: _forMs, ...how }: InjectStep,
  id: string,
): PortableInjectOptions {
  return {
    ...(Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined)) as PortableInjectOptions),
    id,
  }
}

/**
 * The injection id of a step. It is the same in every run, so that the same seed repeats the same decisions.
 *
 * @param index The index of the step, from 0.
 */
export function injectionIdOf(title: string, index: number): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 100)
  return `${name === '' ? 'experiment' : name}:${index + 1}`
}

/**
 * Follows the injections of a run through the controller's events and by polling.
 *
 * Other runs may use the same ids at the same time. A state belongs to this run only if its `armedAt` equals the
 * `armedAt` in the answer to this run's inject call. States that arrive before that answer are kept until it arrives.
 */
export function injectionLog(controller: ChaosController, clock: Clock, onChange: () => void): InjectionLog {
  /** Entries by requested id. */
  const entries = new Map<string, Entry>()
  const arming = new Map<string, Promise<void>>()
  const failures: string[] = []
  let aside: InjectionState[] = []

  /**
   * Adopts a newer state of an injection of this run.
   *
   * @param askedAt When the state was requested. A pushed event has no request, and so does not show the present state.
   */
  function take(entry: Entry, given: InjectionState, askedAt?: number): void {
    if (given.id !== entry.id || given.armedAt !== entry.armedAt) return
    const known = entry.state
    if (known?.status === 'ended' && given.status !== 'ended') return
    const state = frozen(given)
    entry.state = state
    if (state.landedAt !== undefined) entry.own.landedSeenAt ??= clock.now()
    // The state was current at some moment between the request and its answer.
    if (state.status === 'ended') entry.own.endedSeenAt ??= clock.now()
    else if (askedAt !== undefined) entry.own.activeSeenAt = askedAt
    if (known?.status !== state.status || known.landedAt !== state.landedAt) onChange()
  }

  function takeAll(states: readonly InjectionState[], askedAt?: number): void {
    for (const state of states) for (const entry of entries.values()) take(entry, state, askedAt)
  }

  const unfollow = controller.follow((journalled) => {
    if (journalled.type === 'hit' || journalled.type === 'warning') return
    takeAll([journalled.injection])
    if (arming.size > 0) aside = [...aside.slice(1 - MAX_ASIDE), frozen(journalled.injection)]
  })

  async function arm(step: InjectStep, id: string): Promise<void> {
    const entry: Entry = {
      id,
      armedAt: undefined,
      state: undefined,
      refused: undefined,
      own: { askedAt: clock.now(), landedSeenAt: undefined, activeSeenAt: undefined, endedSeenAt: undefined },
    }
    entries.set(id, entry)
    try {
      const state = await controller.inject(step.target, step.fault, step.options ?? {}, injectOptionsOf(step, id))
      // The controller may have assigned another id.
      entry.id = state.id
      entry.armedAt = state.armedAt
      take(entry, state, entry.own.askedAt)
      takeAll(aside)
    } catch (error) {
      // Only for the report: whether anything is in force is asked of the controller.
      entry.refused = aside
        .filter((told) => told.id === id && told.outcome !== undefined && REFUSED.has(told.outcome))
        .at(-1)
      failures.push(`${step.fault} into ${step.target}: ${inWords(error)}`)
      // The fault was refused before arming. An injection with this id belongs to another run and must not be stopped.
      if (isChaosError(error, 'CHAOS_INVALID_OPTION')) entries.delete(id)
    }
  }

  async function stop(id: string): Promise<string | undefined> {
    const entry = entries.get(id)
    if (entry?.state?.status === 'ended') return undefined
    try {
      // One that is still being armed is only known by what the controller tells.
      const known = entry?.state ?? aside.find((told) => told.id === id)
      const timeoutMs = known?.instances === undefined ? STOP_TIMEOUT_MS : STOP_ALL_TIMEOUT_MS
      const state = await withTimeout(clock, timeoutMs, () => controller.stop(entry?.id ?? id))
      if (entry !== undefined) take(entry, state)
      return undefined
    } catch (error) {
      // An unknown injection is not in force: it was never armed, or the process was restarted.
      return isChaosError(error, 'CHAOS_UNKNOWN_INJECTION') ? undefined : `${id}: ${inWords(error)}`
    }
  }

  return {
    failures,
    states: () =>
      [...entries.values()].flatMap(({ state, refused, own }) => {
        const known = state ?? refused
        return known === undefined ? [] : [{ ...known, ...own }]
      }),
    inject(step, id) {
      const armed = arm(step, id).finally(() => {
        arming.delete(id)
        if (arming.size === 0) aside = []
      })
      arming.set(id, armed)
      return armed
    },
    async refresh(signal) {
      if ([...entries.values()].every(({ state }) => state?.status === 'ended')) return
      const askedAt = clock.now()
      try {
        takeAll(await withTimeout(clock, ANSWER_TIMEOUT_MS, () => controller.injections(), signal), askedAt)
      } catch {
        // The controller cannot be reached now. A state that stays unknown counts as missing evidence.
      }
    },
    stop,
    async stopAll() {
      const stopped = await Promise.all([...entries.keys()].map(stop))
      const failed = stopped.filter((failure) => failure !== undefined)
      // Injections that were still being armed have been stopped. Their answers may be on the way, so they are awaited.
      for (const [id, armed] of arming) {
        const late = await withTimeout(clock, ANSWER_TIMEOUT_MS, () => armed).then(
          () => stop(id),
          (error: unknown) => `${id}: still being armed: ${inWords(error)}`,
        )
        if (late !== undefined) failed.push(late)
      }
      return [...new Set(failed)]
    },
    close: unfollow,
  }
}

/** A copy of the current state. The objects that a controller returns may keep changing. */
function frozen(given: InjectionState | Injection): InjectionState {
  const state = 'snapshot' in given ? given.snapshot() : given
  const { instances } = state
  return {
    ...state,
    evidence: [...state.evidence],
    failures: [...state.failures],
    ...(instances === undefined
      ? {}
      : { instances: { counts: { ...instances.counts }, list: instances.list.slice(0, MAX_INSTANCES) } }),
  }
}
