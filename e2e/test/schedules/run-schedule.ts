import { createChaos, inject, type Injection } from '@chaos/core'
import { manualClock, residueRecorder } from '@chaos/core/testing'
import { randomOf } from './random.js'
import type { Subject } from './subject.js'

const MAX_STEPS = 14

/** Keys that applications add in schedules begin so. Deleting one would make a dictionary of the object, and not by our doing. */
export const isOfApplication = (key: PropertyKey): boolean => typeof key === 'string' && key.startsWith('late')

/**
 * Runs one random schedule over a subject: faults begin, end, expire and are stopped together, while the application goes on.
 *
 * @returns What differs afterwards and was not reported as a warning or a failure. Empty is right.
 */
export async function runSchedule(subject: Subject, seed: number): Promise<readonly string[]> {
  const random = randomOf(seed)
  const play = await subject.begin(random)
  const clock = manualClock()
  const chaos = createChaos({ environment: 'test', clock })
  const residue = residueRecorder()
  residue.register(play.target, ...play.others)
  const injections: Injection[] = []
  try {
    for (let step = random.below(MAX_STEPS) + 2; step > 0; step -= 1) {
      switch (random.below(6)) {
        case 0:
        case 1: {
          const { fault, how } = play.choose(random)
          injections.push(
            await inject(residue.watch(fault), play.target, { ...how, clock, leaseMs: 50 + random.below(500) }),
          )
          break
        }
        case 2:
          await injections[random.below(injections.length + 1)]?.rollback()
          break
        case 3:
          await clock.advance(random.below(300))
          break
        case 4:
          if (random.below(4) === 0) await chaos.stopAll()
          break
        default:
          await play.act(random)
      }
    }
    await chaos.stopAll()
    await Promise.all(injections.map(async ({ done }) => done))
    play.settle?.()
    const pending = clock.pending === 0 ? [] : [`${clock.pending} timers are pending`]
    return [...residue.differences((key) => isOfApplication(key)), ...pending]
  } finally {
    await chaos.close()
    await play.dispose?.()
  }
}
