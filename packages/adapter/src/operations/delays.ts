import { delayOf, type DelayOptions, type InjectionContext } from '@chaos/core/authoring'

/** Draws delays, from one stream of seeded chance for each name. @returns The next delay of a name, in ms */
export function delaysOf(options: DelayOptions, context: InjectionContext): (name: string) => number {
  const streams = new Map<string, () => number>()
  return (name) => {
    let next = streams.get(name)
    if (next === undefined) {
      const roll = context.rolls(name)
      let drawn = 0
      const draw = (): number => roll((drawn += 1))
      streams.set(name, (next = () => delayOf(options, draw)))
    }
    return next()
  }
}
