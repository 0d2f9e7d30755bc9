import {
  ChaosError,
  type ChaosController,
  type Injection,
  type InjectionState,
  type JournalEntry,
  type PortableInjectOptions,
} from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { explain } from '../../test-chaos/explanation.js'
import { injectionIds } from '../../test-chaos/injection-ids.js'
import { missesOf } from '../../test-chaos/missed.js'
import type { OpenFaults } from '../../test-chaos/open-test-chaos.js'
import { idOfEntry, MAX_HITS, noteArmed, noteHit, stackAbove, type Recorded } from '../../test-chaos/recorded.js'
import { seedOfTests } from '../../test-chaos/seed.js'

/** The most entries of the journal that are kept for one test. */
const MAX_ENTRIES = 1_000

/** Chaos in the application that is under test, in another process. */
export interface RemoteChaos {
  /**
   * Injects a fault until the end of the test. As `inject` of a controller, with the seed of the test.
   *
   * @param target The name of a target of the application.
   * @param fault The name of the fault.
   */
  readonly inject: (
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: RemoteInjectOptions,
  ) => Promise<RemoteInjection>
  /** The seed of random decisions: `CHAOS_SEED`, else one that is drawn once per process. */
  readonly seed: string
}

/** How a fault is injected into the application. */
export type RemoteInjectOptions = PortableInjectOptions & {
  /** Whether the test may pass although the fault hits nothing. Default `false`. */
  readonly mayMiss?: boolean
}

/** A fault in the application. Its state is the one that the application has told last. */
export interface RemoteInjection extends InjectionState {
  /**
   * Reads what the fault has done so far. Before a matcher: `await fault.refresh()`.
   *
   * @returns The same object.
   */
  readonly refresh: () => Promise<RemoteInjection>
}

/** What the runner does with the chaos of a test in another process. */
export interface OpenRemoteChaos extends OpenFaults {
  readonly chaos: RemoteChaos
  /** Reads what the faults have done. Before the test is explained. */
  readonly refresh: () => Promise<void>
}

/** The longest wait for the events of hits that the application has counted, in ms. */
const EVENTS_WITHIN_MS = 1_000

/**
 * Opens the chaos of one test in another process.
 *
 * @param key Tells the test apart from all others that use the application.
 * @param rerun Returns the command line that runs the test alone again.
 */
export function openRemoteChaos(
  controller: ChaosController,
  key: string,
  rerun: (seed: string) => string,
): OpenRemoteChaos {
  const seed = seedOfTests()
  const idOf = injectionIds(key)
  const records = new Map<string, Recorded>()
  const entries: JournalEntry[] = []
  const arming = new Set<Promise<unknown>>()
  const onEntry = new Set<() => void>()
  let isOver = false
  const unfollow = controller.follow((entry) => {
    const record = records.get(idOfEntry(entry))
    if (record === undefined) return
    if (entry.type === 'hit') noteHit(record, entry)
    else if ('injection' in entry) note(entry.injection)
    if (entries.length < MAX_ENTRIES) entries.push(entry)
    for (const each of onEntry) each()
  })
  const note = ({ ...state }: InjectionState): void => {
    const injection = records.get(state.id)?.injection
    if (injection !== undefined) Object.assign(injection, state)
  }
  /** Hits are told by events, which may come later than the answer that counts them. */
  const hitsAreTold = async (): Promise<void> => {
    const areTold = (): boolean =>
      [...records.values()].every(({ hits, injection }) => hits.length >= Math.min(injection?.affected ?? 0, MAX_HITS))
    if (areTold()) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        onEntry.delete(look)
        cancel()
        resolve()
      }
      const look = (): void => {
        if (areTold()) done()
      }
      const cancel = systemClock.after(EVENTS_WITHIN_MS, done)
      onEntry.add(look)
    })
  }
  const refresh = async (): Promise<void> => {
    for (const state of await controller.injections()) note(state)
    await hitsAreTold()
  }
  const assertRunning = (): void => {
    if (isOver)
      throw new ChaosError(
        'CHAOS_INJECTION_ENDED',
        'The test has ended. Await everything that a test does, so that nothing goes on after its end.',
      )
  }
  const arm = async (
    target: string,
    fault: string,
    options: Readonly<Record<string, unknown>>,
    how: RemoteInjectOptions,
    calledFrom: string,
  ): Promise<RemoteInjection> => {
    assertRunning()
    const { mayMiss: _, id = idOf(fault), ...given } = how
    const record: Recorded = { id, fault, how, calledFrom, injection: undefined, hits: [], outside: undefined }
    records.set(id, record)
    const state: InjectionState & Partial<Injection> = await controller.inject(target, fault, options, {
      seed,
      ...given,
      id,
    })
    // A controller of this process gives the injection itself.
    const told = state.snapshot?.() ?? state
    const injection: RemoteInjection = { ...told, refresh: () => refresh().then(() => injection) }
    noteArmed(record, injection)
    if (isOver) await controller.stop(id)
    assertRunning()
    return injection
  }
  const chaos: RemoteChaos = {
    seed,
    inject(target, fault, options = {}, how = {}) {
      const armed = arm(target, fault, options, how, stackAbove(chaos.inject))
      const settled = armed.catch(() => undefined).finally(() => arming.delete(settled))
      arming.add(settled)
      return armed
    },
  }
  return {
    chaos,
    refresh,
    journal: () => entries,
    misses: () => missesOf([...records.values()]),
    explanation: () => explain([...records.values()], { seed, rerun: rerun(seed) }),
    async end() {
      isOver = true
      const ids = [...records].flatMap(([id, { injection }]) => (injection === undefined ? [] : [id])).reverse()
      const stopped = await Promise.allSettled(ids.map((id) => controller.stop(id)))
      // One that comes into force only now stops itself.
      await Promise.all(arming)
      unfollow()
      return stopped.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    },
  }
}
