import { byName, type InjectionContext } from '@chaos/core/authoring'
import type { EventName } from '../seams/bus.js'

/** Seeded chance that depends on the name of an event and on how often it was asked for that name, on nothing else; see `byName` for very many names. */
export function seededStream({ rolls }: Pick<InjectionContext, 'rolls'>, purpose: string): (name: EventName) => number {
  const drawerOf = byName((name) => {
    const roll = rolls(`${purpose} ${String(name)}`)
    let call = 0
    return () => roll((call += 1))
  })
  return (name) => drawerOf(name)()
}
