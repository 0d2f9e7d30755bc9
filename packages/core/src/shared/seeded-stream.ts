import { byName } from '../blast-radius/by-name.js'
import type { InjectionContext } from '../fault/fault.js'

/**
 * Seeded chance that depends on the name of an operation and on how often it was asked for that name, on nothing else. Memory is bounded: see
 * {@link byName} for very many names.
 *
 * @param purpose What is drawn, apart from other streams of the injection.
 * @returns The next number of a name, from 0 (included) to 1 (excluded).
 */
export function seededStream(
  { rolls }: Pick<InjectionContext, 'rolls'>,
  purpose: string,
): (name: string | symbol) => number {
  const drawerOf = byName((name) => {
    const roll = rolls(`${purpose} ${String(name)}`)
    let call = 0
    return () => roll((call += 1))
  })
  return (name) => drawerOf(name)()
}
