import type { InjectionContext } from '@chaos/core'
import type { EventName } from './bus.js'

/** Seeded chance that depends on the name of an event and on how often it was asked for that name, on nothing else. */
export function chanceFor({ rolls }: Pick<InjectionContext, 'rolls'>, purpose: string): (name: EventName) => number {
  const streams = new Map<EventName, () => number>()
  return (name) => {
    let draw = streams.get(name)
    if (draw === undefined) {
      const roll = rolls(`${purpose} ${String(name)}`)
      let call = 0
      draw = () => roll((call += 1))
      streams.set(name, draw)
    }
    return draw()
  }
}
