/** A step of the way back. */
export type Undo = () => void | Promise<void>

/**
 * Runs undo steps last in, first out. A step that fails never stops the others.
 *
 * Steps run synchronously as long as they are synchronous, so a target that was only patched is bare again before this returns.
 *
 * @returns What failed, in the order in which it failed; a promise of it where some step was asynchronous.
 */
export function unwind(steps: Undo[]): readonly unknown[] | Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      const pending = step()
      if (pending !== undefined) return unwindRest(pending, steps, failures)
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}

async function unwindRest(pending: Promise<void>, steps: Undo[], failures: unknown[]): Promise<readonly unknown[]> {
  try {
    await pending
  } catch (error) {
    failures.push(error)
  }
  return failures.concat(await unwind(steps))
}
