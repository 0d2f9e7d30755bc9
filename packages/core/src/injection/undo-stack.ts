import type { Clock } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'

type Undo = () => void | Promise<void>

/** An undo step, with its name for messages. */
export interface UndoStep {
  readonly name: string
  readonly undo: Undo
}

/** How long to wait for an undo step, in ms. */
export const UNDO_TIMEOUT_MS = 5_000

/**
 * Runs undo steps, last in, first out. A step that fails does not stop the others. A step that has not settled after 5 s by
 * `clock` does not either: the remaining steps then run without waiting for each other, and are awaited together for another 5 s.
 *
 * Synchronous steps run synchronously, so a target that was only patched is restored before this function returns.
 *
 * @returns The failures in order, or a promise of them if a step was asynchronous. The promise settles within 10 s.
 */
export function unwind(steps: UndoStep[], clock: Clock): readonly unknown[] | Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const pending = start(step, failures)
    if (pending !== undefined) return unwindRest({ step, pending }, steps, failures, clock)
  }
  return failures
}

interface Pending {
  readonly step: UndoStep
  readonly pending: PromiseLike<unknown>
}

/** Runs a step. @returns The promise to await, if the step is asynchronous. */
function start({ undo }: UndoStep, failures: unknown[]): PromiseLike<unknown> | undefined {
  try {
    const pending: unknown = undo()
    return isThenable(pending) ? pending : undefined
  } catch (error) {
    failures.push(error)
    return undefined
  }
}

async function unwindRest(
  first: Pending,
  steps: UndoStep[],
  failures: unknown[],
  clock: Clock,
): Promise<readonly unknown[]> {
  const isInTime = await settles(first, failures, clock)
  if (isInTime) return failures.concat(await unwind(steps, clock))
  const others: Pending[] = []
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const pending = start(step, failures)
    if (pending !== undefined) others.push({ step, pending })
  }
  await Promise.all(others.map((other) => settles(other, failures, clock)))
  return failures
}

/** Waits for a step for at most 5 s, and adds its error to the failures. @returns Whether it settled in time. */
function settles({ step, pending }: Pending, failures: unknown[], clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    let isLate = false
    const cancel = clock.after(UNDO_TIMEOUT_MS, () => {
      isLate = true
      failures.push(
        new ChaosError(
          'CHAOS_ROLLBACK_FAILED',
          `${step.name} did not settle within ${UNDO_TIMEOUT_MS} ms. It may still be running.`,
        ),
      )
      resolve(false)
    })
    const settled = (): void => {
      cancel()
      resolve(true)
    }
    // Not `Promise.resolve`, which reads the thenable synchronously and may throw.
    void new Promise((settle) => settle(pending)).then(settled, (error: unknown) => {
      // A late failure was already reported as a timeout.
      if (!isLate) failures.push(error)
      settled()
    })
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
