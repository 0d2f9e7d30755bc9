import type { Timing } from '../src/errors/timing.js'

const timings = new WeakMap<object, Timing>()

/** The error that work fails with, which was begun just now. Work that does not fail is what fails then. */
export async function rejection(work: Promise<unknown>): Promise<Error> {
  let timing: Timing = 'same-turn'
  afterTicks(100, () => (timing = 'later-turn'))
  return work.then(
    () => Promise.reject(new Error('Expected a rejection, got none.')),
    (error: unknown) => {
      timings.set(error as Error, timing)
      return error as Error
    },
  )
}

/** When an error came that {@link rejection} waited for. */
export function timingOfRejection(error: object): Timing | undefined {
  return timings.get(error)
}

/** Does something when so many ticks are over, and all microtasks between them. All of them belong to the turn that the event loop is in. */
function afterTicks(count: number, work: () => void): void {
  process.nextTick(() => (count === 0 ? work() : queueMicrotask(() => afterTicks(count - 1, work))))
}
