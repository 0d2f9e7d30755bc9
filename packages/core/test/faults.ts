import type { EventEmitter } from 'node:events'
import { defineFault, option } from '../src/authoring.js'

type Emit = EventEmitter['emit']
const hasEmit = (value: unknown): boolean => typeof value === 'object' && value !== null && 'emit' in value

/** Loses events: the smallest standing fault. */
export const drop = defineFault({
  name: 'test/drop-events',
  kind: 'standing',
  summary: 'Loses events.',
  options: {},
  target: { expects: 'an emitter', accepts: hasEmit },
  inject(bus: EventEmitter, _options, context) {
    context.patch(
      bus,
      'emit',
      (below) =>
        function emit(this: EventEmitter, ...args: Parameters<Emit>): boolean {
          if (context.operation(args[0]).shouldInject(args)) return true
          return (below.call as Emit).apply(this, args)
        },
    )
  },
})

/** Holds events back, in order. */
export const delay = defineFault({
  name: 'test/delay-events',
  kind: 'standing',
  summary: 'Holds events back.',
  options: { delayMs: option.durationMs('Time each event is held back, in ms.') },
  target: { expects: 'an emitter', accepts: hasEmit },
  inject(bus: EventEmitter, { delayMs }, context) {
    context.patch(
      bus,
      'emit',
      (below) =>
        function emit(this: EventEmitter, ...args: Parameters<Emit>): boolean {
          const [order] = args
          const run = (): void => void (below.call as Emit).apply(this, args)
          if (context.operation(order).shouldInject(args)) context.hold({ afterMs: delayMs, order, run })
          else if (context.isHolding(order)) context.queue({ order, run })
          else return (below.call as Emit).apply(this, args)
          return true
        },
    )
  },
})

/** Covers any methods of any object and lets every call through, counted. */
export const observe = defineFault({
  name: 'test/observe-calls',
  kind: 'standing',
  summary: 'Covers methods and lets calls through.',
  options: { methods: option.names('Methods to cover.') },
  target: {
    expects: 'an object',
    accepts: (value) => (typeof value === 'object' && value !== null) || typeof value === 'function',
  },
  inject(target: object, { methods }, context) {
    for (const key of [methods].flat()) {
      const operation = context.operation(key)
      context.patch(
        target,
        key,
        (below) =>
          function (this: unknown, ...args: unknown[]): unknown {
            operation.shouldInject(args)
            return Reflect.apply(below.call, this, args)
          },
      )
    }
  },
})

/** An instant fault that appends to an array. */
export const append = defineFault({
  name: 'test/append-item',
  kind: 'instant',
  summary: 'Appends an item.',
  options: { item: option.text('What to append.') },
  target: { expects: 'an array', accepts: Array.isArray },
  inject(list: string[], { item }, context) {
    if (!context.operation('append').shouldInject([item])) return
    list.push(item)
    context.landed({ item })
  },
})
