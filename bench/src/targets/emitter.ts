import { EventEmitter } from 'node:events'

export const isAsync = false

/** An emitter with so many listeners. */
export function make(listeners: number): EventEmitter {
  const bus = new EventEmitter()
  bus.setMaxListeners(listeners)
  for (let index = 0; index < listeners; index += 1) bus.on('tick', (value: number) => value + index)
  return bus
}

export function use(bus: EventEmitter): (last: unknown) => unknown {
  return (last) => bus.emit('tick', last)
}
