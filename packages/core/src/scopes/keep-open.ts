import { messageOf } from '../basics/text.js'
import { madeScopeState, type ScopeOpener } from './state.js'

/** What opens scopes, as long as it is in force: an injection. */
interface Opening {
  /** Why it has ended. `undefined`: it has not. */
  readonly outcome: unknown
  rollback(): Promise<unknown>
}

/**
 * Puts in force what opens scopes, until `stop` is called. If something else ends it, such as `stopAll`, nothing of it is left,
 * and it is put in force again when somebody next needs scopes: otherwise a fault for a scope would hit nothing from then on.
 *
 * @param open Puts it in force, before it returns its promise.
 * @param reopen Does so later. A failure is a warning of the process. `undefined`: there is nothing left to open scopes for, and it
 *   is not called again. Default: `open`.
 * @throws The error of `open`.
 */
export async function keepScopesOpen(
  open: () => Promise<Opening>,
  reopen: () => Promise<Opening | undefined> = open,
): Promise<{ stop(): Promise<void> }> {
  const { openers } = madeScopeState()
  let opening: Opening | undefined = await open()
  let pending: Promise<void> | undefined
  const openAgain = async (): Promise<void> => {
    try {
      opening = await reopen()
      if (opening === undefined) openers.delete(opener)
    } catch (error) {
      opening = undefined
      warn(error)
    } finally {
      pending = undefined
    }
  }
  const opener: ScopeOpener = {
    isOpen: () => pending !== undefined || (opening !== undefined && opening.outcome === undefined),
    open() {
      if (!opener.isOpen()) pending = openAgain()
    },
  }
  openers.add(opener)
  return {
    async stop() {
      openers.delete(opener)
      await pending
      await opening?.rollback()
    },
  }
}

function warn(error: unknown): void {
  process.emitWarning(
    `Scopes could not be opened again: ${messageOf(error)}. Until they are, faults for a scope may hit nothing. The next such fault tries again.`,
    { type: 'ChaosWarning' },
  )
}
