import { EventEmitter } from 'node:events'

export const isAsync = false

export interface NamedEvents {
  readonly bus: EventEmitter
  readonly names: readonly string[]
}

/** An emitter with one listener for each of so many names, which are emitted in turn. */
export function make(count: number): NamedEvents {
  const bus = new EventEmitter()
  const names = Array.from({ length: count }, (_, index) => `tick:${index}`)
  for (const name of names) bus.on(name, (value: number) => value + 1)
  return { bus, names }
}

export function use({ bus, names }: NamedEvents): (last: unknown) => unknown {
  let turn = 0
  return (last) => {
    turn = turn + 1 < names.length ? turn + 1 : 0
    return bus.emit(names[turn] as string, last)
  }
}
