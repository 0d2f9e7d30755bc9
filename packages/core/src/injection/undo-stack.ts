import type { Clock } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'

/** A step of the way back. */
type Undo = () => void | Promise<void>

/** A step, and what it is called where it fails. */
export interface UndoStep {
  readonly name: string
  readonly undo: Undo
}

/** How long a step of the way back is waited for, in ms. */
export const UNDO_TIMEOUT_MS = 5_000

/**
 * Runs undo steps last in, first out. A step that fails never stops the others, and neither does one that never settles: after 5 s by `clock`
 * the others are run without waiting for one another, and waited for together for 5 s more.
 *
 * Steps run synchronously as long as they are synchronous, so a target that was only patched is bare again before this returns.
 *
 * @returns What failed, in the order in which it failed; a promise of it where some step was asynchronous. It settles within 10 s.
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

/** Runs a step. @returns What is still to be awaited. */
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

/** Waits for a step, but not for ever. @returns Whether it settled in time; what it failed with is among the failures. */
function settles({ step, pending }: Pending, failures: unknown[], clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    let isLate = false
    const cancel = clock.after(UNDO_TIMEOUT_MS, () => {
      isLate = true
      failures.push(
        new ChaosError(
          'CHAOS_ROLLBACK_FAILED',
          `${step.name} did not settle within ${UNDO_TIMEOUT_MS} ms. It may still be under way.`,
        ),
      )
      resolve(false)
    })
    const settled = (): void => {
      cancel()
      resolve(true)
    }
    // Not `Promise.resolve`, which looks at the promise here and now, and may throw.
    void new Promise((settle) => settle(pending)).then(settled, (error: unknown) => {
      // What fails after its time is reported once, as late.
      if (!isLate) failures.push(error)
      settled()
    })
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
