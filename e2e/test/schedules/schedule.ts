import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  ChaosError,
  createChaos,
  inject,
  LIFE_CYCLE_CHANNEL,
  type Fault,
  type Injection,
  type InjectionState,
  type JournalEntry,
} from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { OurFunctions } from './ours.js'
import { residueOn } from './residue.js'

/** Draws a whole number from 0 to below `count`. */
export type Draw = (count: number) => number

/** A fault of any kind, with a target that it accepts. */
export interface Breakage {
  readonly target: object
  readonly make: (draw: Draw) => Fault<object>
}

/** A part of an application that schedules break while it works. */
export interface Subject {
  readonly breakages: readonly Breakage[]
  /** What the application may do meanwhile. None of them may reject or throw. */
  readonly moves: readonly ((draw: Draw) => unknown)[]
  /** The objects that a fault may have met, by name. */
  readonly met: () => Readonly<Record<string, object>>
  /** Ends what is in flight, and resolves when nothing is. */
  readonly close: () => Promise<void>
}

const LEASE_MS = 1_000
const REFUSALS: ReadonlySet<string> = new Set(['CHAOS_TARGET_SEALED', 'CHAOS_TARGET_MISMATCH'])

/**
 * Plays schedules of inject, rollback, expiry and `stopAll`, in any order, while the application works. Afterwards looks for what our
 * packages have left on any object: at once, with work in flight, and again when nothing is.
 *
 * @returns The differences that no injection reported, each with the seed of its schedule.
 */
export async function differencesIn(
  start: () => Promise<Subject>,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<readonly string[]> {
  const ours = new OurFunctions()
  const found: string[] = []
  try {
    for (let seed = from; seed < from + count; seed += 1)
      for (const one of await play(await start(), seed, ours)) found.push(`schedule ${seed}: ${one}`)
  } finally {
    ours.close()
  }
  return found
}

async function play(subject: Subject, seed: number, ours: OurFunctions): Promise<readonly string[]> {
  const draw = drawFrom(seed)
  const clock = manualClock(1_000_000)
  const chaos = createChaos({ targets: {} })
  const injections: Injection[] = []
  const warnings: string[] = []
  const note = (entry: unknown): void => {
    const published = entry as JournalEntry
    if (published.type === 'warning') warnings.push(published.message)
  }
  subscribe(LIFE_CYCLE_CHANNEL, note)
  const breakOne = async (): Promise<void> => {
    const breakage = subject.breakages[draw(subject.breakages.length)] as Breakage
    const rate = draw(2) === 0 ? 1 : 0.5
    const how = { leaseMs: LEASE_MS, rate, seed: String(seed), clock }
    try {
      injections.push(await inject(breakage.make(draw), breakage.target, how))
    } catch (error) {
      // The application has frozen or closed the target.
      if (!(error instanceof ChaosError && REFUSALS.has(error.code))) throw error
    }
  }
  /** Failures of rollbacks are reported in the states too. */
  const ending = async (end: () => Promise<unknown> | undefined): Promise<void> => {
    try {
      await end()
    } catch (error) {
      if (!(error instanceof ChaosError && error.code === 'CHAOS_ROLLBACK_FAILED')) throw error
    }
  }
  const move = (): unknown => subject.moves[draw(subject.moves.length)]?.(draw)
  const steps: readonly (() => unknown)[] = [
    breakOne,
    breakOne,
    move,
    move,
    move,
    move,
    () => clock.advance(draw(LEASE_MS / 2)),
    () => new Promise(setImmediate),
    () => ending(() => injections[draw(injections.length + 1)]?.rollback()),
    () => ending(() => (draw(4) === 0 ? chaos.stopAll() : undefined)),
  ]
  try {
    for (let step = 4 + draw(12); step > 0; step -= 1) await steps[draw(steps.length)]?.()
    const ends: readonly (() => Promise<unknown>)[] = [
      () => ending(() => chaos.stopAll()),
      () => clock.advance(LEASE_MS),
      async () => {
        const left = [...injections]
        while (left.length > 0) await ending(() => left.splice(draw(left.length), 1)[0]?.rollback())
      },
    ]
    await ends[draw(ends.length)]?.()
    const states = await Promise.all(injections.map(({ done }) => done))
    const reported = [...warnings, ...states.flatMap(({ failures }) => failures)].join('\n')
    const inFlight = residueOn(subject.met(), ours)
    await subject.close()
    const after = residueOn(subject.met(), ours)
    return [...new Set([...inFlight, ...after]), ...states.flatMap(imbalance)].filter((one) => !isIn(reported, one))
  } finally {
    unsubscribe(LIFE_CYCLE_CHANNEL, note)
    await chaos.stopAll()
    await chaos.close()
    await subject.close()
  }
}

/** Whether the injections themselves said that they had to leave something: that member, or the object in the prototype chain. */
function isIn(reported: string, difference: string): boolean {
  const member = /\.([^.:]+): \[/.exec(difference)?.[1]
  return member === undefined
    ? difference.endsWith('prototype chain') && reported.includes('between the target and its prototype')
    : reported.includes(`\`${member}\``)
}

/** What does not add up in the account of an injection that has ended. */
function imbalance({ id, seen, affected, passed, held, account }: InjectionState): readonly string[] {
  const wrong: string[] = []
  if (seen !== affected + passed) wrong.push(`${id}: seen ${seen} of ${affected} affected and ${passed} passed`)
  if (held !== 0) wrong.push(`${id}: holds ${held} after its end`)
  const { sent, duplicated = 0, delivered = 0, dropped = 0, lost = 0 } = account
  if (sent !== undefined && sent + duplicated !== delivered + dropped)
    wrong.push(`${id}: ${JSON.stringify(account)} does not balance (${lost} lost)`)
  return wrong
}

/** Mulberry32 of Tommy Ettinger: small, and the same on every machine. */
function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }
}
