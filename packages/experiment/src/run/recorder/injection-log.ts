import {
  isChaosError,
  type ChaosController,
  type Clock,
  type Injection,
  type InjectionState,
  type PortableInjectOptions,
} from '@chaos/core'
import { inWords } from '../../shared/answer.js'
import type { InjectStep } from '../../model/experiment.js'
import { withTimeout } from '../../shared/time.js'
import type { RunInjection } from '../../evidence/evidence.js'

/** Longest wait for a controller's answer, in ms: beyond it an injection counts as one that could not be stopped. */
const ANSWER_TIMEOUT_MS = 10_000
/** The same for what is taken back, in ms: a process gives up steps that do not settle within 10 s, and says then which they were. */
const STOP_TIMEOUT_MS = 12_000

/** The injections of one run. */
export interface InjectionLog {
  states(): readonly RunInjection[]
  readonly failures: readonly string[]
  /** Puts a fault in force. Never rejects: a failure is recorded. */
  inject(step: InjectStep, id: string): Promise<void>
  /** Asks the controller what became of them. Never rejects. */
  refresh(signal?: AbortSignal): Promise<void>
  /** Stops one that is in force. Never rejects. @returns Why that failed. */
  stop(id: string): Promise<string | undefined>
  /** Stops all that are in force, also those still being armed. Never rejects. @returns What failed. */
  stopAll(): Promise<readonly string[]>
  /** Stops following. */
  close(): void
}

interface Entry {
  /** The name that the controller gave it; until its answer is there, the one that was asked for. */
  id: string
  /** When the controller armed it, by its own answer. Without one nothing can be told to be of this run. */
  armedAt: number | undefined
  state: InjectionState | undefined
  readonly own: OwnTimes
}

/** What this run saw of an injection itself, by its own clock. */
type OwnTimes = { -readonly [Key in Exclude<keyof RunInjection, keyof InjectionState>]: RunInjection[Key] }

/** How many states that came before the answer they belong to are kept aside. */
const MAX_ASIDE = 1_000

/** How a step is put in force: exactly what goes to the controller. */
export function injectOptionsOf(
  { target: _target, fault: _fault, options: _options, forMs: _forMs, ...how }: InjectStep,
  id: string,
): PortableInjectOptions {
  return {
    ...(Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined)) as PortableInjectOptions),
    id,
  }
}

/** The name of the injection of a step: the same in every run, so that the same seed gives the same run. @param index The step's place, from 0 */
export function injectionIdOf(title: string, index: number): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 100)
  return `${name === '' ? 'experiment' : name}:${index + 1}`
}

/**
 * Follows what becomes of the injections of a run, by the controller's events and by asking.
 *
 * Injections of other runs may have the same ids, and be told of at the same time. A state is taken only when it says that it was armed at the moment
 * that the answer to this run's own call says; what arrives before that answer is kept aside until it is there.
 */
export function injectionLog(controller: ChaosController, clock: Clock, onChange: () => void): InjectionLog {
  /** By the id that was asked for. */
  const entries = new Map<string, Entry>()
  const arming = new Map<string, Promise<void>>()
  const failures: string[] = []
  let aside: InjectionState[] = []

  /** Takes over a newer state of an injection of this run. @param askedAt When the question was sent that this is the answer to; a state that is told unasked says nothing of now. */
  function take(entry: Entry, given: InjectionState, askedAt?: number): void {
    if (given.id !== entry.id || given.armedAt !== entry.armedAt) return
    const known = entry.state
    if (known?.status === 'ended' && given.status !== 'ended') return
    const state = frozen(given)
    entry.state = state
    if (state.landedAt !== undefined) entry.own.landedSeenAt ??= clock.now()
    // It was so at some moment between the question and its answer.
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
      own: { askedAt: clock.now(), landedSeenAt: undefined, activeSeenAt: undefined, endedSeenAt: undefined },
    }
    entries.set(id, entry)
    try {
      const state = await controller.inject(step.target, step.fault, step.options ?? {}, injectOptionsOf(step, id))
      // A controller may name it otherwise.
      entry.id = state.id
      entry.armedAt = state.armedAt
      take(entry, state, entry.own.askedAt)
      takeAll(aside)
    } catch (error) {
      failures.push(`${step.fault} into ${step.target}: ${inWords(error)}`)
      // It was refused before it was armed. What has its name, now or later, is another run's to stop.
      if (isChaosError(error, 'CHAOS_INVALID_OPTION')) entries.delete(id)
    }
  }

  async function stop(id: string): Promise<string | undefined> {
    const entry = entries.get(id)
    if (entry?.state?.status === 'ended') return undefined
    try {
      const state = await withTimeout(clock, STOP_TIMEOUT_MS, () => controller.stop(entry?.id ?? id))
      if (entry !== undefined) take(entry, state)
      return undefined
    } catch (error) {
      // What the process does not know is not in force: it was never armed, or the process is a new one.
      return isChaosError(error, 'CHAOS_UNKNOWN_INJECTION') ? undefined : `${id}: ${inWords(error)}`
    }
  }

  return {
    failures,
    states: () =>
      [...entries.values()].flatMap(({ state, own }) => (state === undefined ? [] : [{ ...state, ...own }])),
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
        // The controller cannot be asked now. What stays unknown in the end is missing evidence.
      }
    },
    stop,
    async stopAll() {
      const stopped = await Promise.all([...entries.keys()].map(stop))
      const failed = stopped.filter((failure) => failure !== undefined)
      // What was still being armed has been told to stop; its answer is waited for, as it may have been on its way.
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

/** The state as it is now. What a controller in this process hands out is live, and any controller may go on changing its own. */
function frozen(given: InjectionState | Injection): InjectionState {
  const state = 'snapshot' in given ? given.snapshot() : given
  return { ...state, evidence: [...state.evidence], failures: [...state.failures] }
}
