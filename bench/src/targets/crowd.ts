import { EventEmitter } from 'node:events'

export const isAsync = false

/** Fifteen buses of one process, of which those with one kind of fault are driven. */
export interface Crowd {
  readonly buses: readonly EventEmitter[]
  readonly driven: readonly EventEmitter[]
  readonly isMixed: boolean
}

class Stamping extends EventEmitter {
  emitted = 0
  override emit(name: string | symbol, ...args: unknown[]): boolean {
    this.emitted += 1
    return super.emit(name, ...args)
  }
}
class Named extends EventEmitter {
  readonly label = 'bus'
}
class Derived extends Named {
  readonly notes: Readonly<Record<string, unknown>> = {}
}

const CLASSES = [EventEmitter, Stamping, Named, Derived]
const LISTENERS = [
  (value: number) => value + 1,
  (value: number) => value - 1,
  (value: number) => value * 2,
  (value: number) => value,
  () => 7,
]
const SIZE = 15
/** Kinds of faults in a crowd. */
const MODES = 5

/** @param parameter The mode whose buses are driven, from 0 to 4; 10 more for buses of four classes, called with other numbers of arguments. */
export function make(parameter: number): Crowd {
  const isMixed = parameter >= 10
  const buses = Array.from({ length: SIZE }, (_, index) => {
    const Bus = isMixed ? (CLASSES[index % CLASSES.length] as typeof EventEmitter) : EventEmitter
    return new Bus().on('tick', LISTENERS[index % LISTENERS.length] as (value: number) => number)
  })
  return { buses, driven: buses.filter((_, index) => index % MODES === parameter % 10), isMixed }
}

export function use({ driven, isMixed }: Crowd): (last: unknown) => unknown {
  const [first, second, third] = driven as [EventEmitter, EventEmitter, EventEmitter]
  if (isMixed)
    return (last) => {
      first.emit('tick', last)
      second.emit('tick')
      return third.emit('tick', last, 1, 2)
    }
  return (last) => {
    first.emit('tick', last)
    second.emit('tick', last)
    return third.emit('tick', last)
  }
}
