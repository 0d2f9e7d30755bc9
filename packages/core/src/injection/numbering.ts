/** What decides the number of the next injection: those that there were, by fault and target name, and the ids in force. */
export interface Numbered {
  readonly counts: Map<string, number>
  readonly inForce: { readonly has: (id: string) => boolean }
}

/**
 * Returns the k of `fault@target#k` for the next injection. The id is part of every decision, so with a given seed it must
 * not depend on how many injections the process made before: k is then the lowest number that no injection in force has.
 * Else injections are counted.
 */
export function nextNumber(name: string, isSeeded: boolean, { counts, inForce }: Numbered): number {
  let next = isSeeded ? 1 : (counts.get(name) ?? 0) + 1
  while (inForce.has(`${name}#${next}`)) next += 1
  if (!isSeeded) counts.set(name, next)
  return next
}
