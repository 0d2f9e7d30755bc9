import { isChaosError, type ChaosController, type Clock, type InjectionState, type PortableInjectOptions } from '@chaos/core'
import type { InjectStep } from '../model/experiment.js'
import { withTimeout } from '../time.js'
import type { RunInjection } from './evidence.js'

/** Longest wait for a controller's answer, in ms: beyond it an injection counts as one that could not be stopped. */
const ANSWER_TIMEOUT_MS = 10_000

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
  state: InjectionState | undefined
  readonly askedAt: number
  landedSeenAt: number | undefined
  activeSeenAt: number | undefined
  endedSeenAt: number | undefined
}

/** Follows what becomes of the injections of a run, by the controller's events and by asking. */
export function injectionLog(controller: ChaosController, clock: Clock, onChange: () => void): InjectionLog {
  const entries = new Map<string, Entry>()
  const arming = new Map<string, Promise<void>>()
  const failures: string[] = []

  /** Takes over a newer state. An older one of the same name, from an earlier run, is none of ours. */
  function take(entry: Entry, state: InjectionState, askedAt = clock.now()): void {
    const known = entry.state
    if (known !== undefined && (state.armedAt < known.armedAt || (known.status === 'ended' && state.status !== 'ended'))) return
    entry.state = state
    if (state.landedAt !== undefined) entry.landedSeenAt ??= clock.now()
    // It was so at some moment between the question and its answer.
    if (state.status === 'ended') entry.endedSeenAt ??= clock.now()
    else entry.activeSeenAt = askedAt
    if (known?.status !== state.status || known.landedAt !== state.landedAt) onChange()
  }

  const unfollow = controller.follow((journalled) => {
    if (journalled.type === 'hit' || journalled.type === 'warning') return
    const entry = entries.get(journalled.injection.id)
    if (entry !== undefined) take(entry, journalled.injection)
  })

  async function arm({ target, fault, options, forMs: _forMs, ...how }: InjectStep, id: string): Promise<void> {
    const entry: Entry = { state: undefined, askedAt: clock.now(), landedSeenAt: undefined, activeSeenAt: undefined, endedSeenAt: undefined }
    entries.set(id, entry)
    try {
      const given = Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined)) as PortableInjectOptions
      const state = await controller.inject(target, fault, options ?? {}, { ...given, id })
      // A controller may name it otherwise.
      if (state.id !== id) {
        entries.delete(id)
        entries.set(state.id, entry)
      }
      take(entry, frozen(state))
    } catch (error) {
      failures.push(`${fault} into ${target}: ${inWords(error)}`)
    }
  }

  async function stop(id: string): Promise<string | undefined> {
    const entry = entries.get(id)
    if (entry?.state?.status === 'ended') return undefined
    try {
      const state = await withTimeout(clock, ANSWER_TIMEOUT_MS, () => controller.stop(id))
      if (entry !== undefined) take(entry, frozen(state))
      return undefined
    } catch (error) {
      // What the process does not know is not in force: it was never armed, or the process is a new one.
      return isChaosError(error, 'CHAOS_UNKNOWN_INJECTION') ? undefined : `${id}: ${inWords(error)}`
    }
  }

  return {
    failures,
    states: () =>
      [...entries.values()].flatMap(({ state, ...seen }) => (state === undefined ? [] : [{ ...state, ...seen }])),
    inject(step, id) {
      const armed = arm(step, id).finally(() => arming.delete(id))
      arming.set(id, armed)
      return armed
    },
    async refresh(signal) {
      if ([...entries.values()].every(({ state }) => state?.status === 'ended')) return
      const askedAt = clock.now()
      try {
        const states = await withTimeout(clock, ANSWER_TIMEOUT_MS, () => controller.injections(), signal)
        for (const state of states) {
          const entry = entries.get(state.id)
          // Before its own answer is there, a state of that name may be of an earlier run.
          if (entry?.state !== undefined) take(entry, frozen(state), askedAt)
        }
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
        const late = await withTimeout(clock, ANSWER_TIMEOUT_MS, () => armed).then(() => stop(id), (error: unknown) => `${id}: still being armed: ${inWords(error)}`)
        if (late !== undefined) failed.push(late)
      }
      return [...new Set(failed)]
    },
    close: unfollow,
  }
}

/** The state of an in-process injection is live: what is kept must not change behind our back. */
function frozen(state: InjectionState): InjectionState {
  const { id, fault, kind, target, options, seed, status, outcome, armedAt, leaseMs, leaseEndsAt, landedAt, endedAt, seen, affected, passed, held, queued, account, evidence, failures } = state
  return { id, fault, kind, target, options, seed, status, outcome, armedAt, leaseMs, leaseEndsAt, landedAt, endedAt, seen, affected, passed, held, queued, account, evidence: [...evidence], failures: [...failures] }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
