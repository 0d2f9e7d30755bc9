import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import { processState } from '../process/process-state.js'

/**
 * Returns the k of `fault@target#k` for the next injection. The id is part of every decision, so with a given seed it must
 * not depend on how many injections the process made before: k is then the lowest number that no injection in force in this
 * process has. Else injections are counted, and numbers in force are passed over.
 */
export function nextNumber(name: string, isSeeded: boolean, counts: Map<string, number>): number {
  const { ids } = processState()
  let next = isSeeded ? 1 : (counts.get(name) ?? 0) + 1
  while (ids.has(`${name}#${next}`)) next += 1
  if (!isSeeded) counts.set(name, next)
  return next
}

/** @throws ChaosError `CHAOS_INVALID_OPTION` if an injection in force in this process has this id. */
export function assertFree(id: string): void {
  if (!processState().ids.has(id)) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The injection id "${printable(id)}" is in use. Choose another id, or stop that injection first.`,
    { details: { of: 'inject', field: '/id', expected: 'an id that no injection in force has' } },
  )
}
