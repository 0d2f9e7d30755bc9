import { byName } from '../blast-radius/by-name.js'
import type { InjectionContext } from '../fault/fault.js'

/**
 * Makes seeded random numbers per operation name. A number depends only on the name and on how many were drawn for it
 * before. Memory is bounded: {@link byName} says how very many names are handled.
 *
 * @param purpose The purpose of the numbers, which separates this stream from others of the injection.
 * @returns A function that returns the next number of a name, from 0 (included) to 1 (excluded).
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
