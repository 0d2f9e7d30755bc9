import type { EventEmitter } from 'node:events'
import type { InjectOptions } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import { arm } from '../runner/arm.js'
import { comparison, type Bar, type Case, type Suite } from '../runner/case.js'
import { ALL_FILTERS } from './filters.js'

const delay = delayEvents({ delayMs: 1_000 })

const armed = (name: string, listeners: number, how: InjectOptions, bar?: Bar, refused?: number): Case =>
  comparison(
    name,
    {
      target: 'emitter',
      parameter: listeners,
      prepare: async (bus: EventEmitter) => {
        await arm(delay, bus, how)
        return bus
      },
    },
    { ...(bar === undefined ? {} : { bar }), ...(refused === undefined ? {} : { refused }) },
  )

/** `emit` with a delay armed that touches none of the events. */
const emitter = (
  listeners: number,
  bars: { readonly exact?: Bar; readonly glob?: Bar; readonly rate0?: Bar; readonly refused?: number },
): Suite => ({
  name: `emitter-${listeners}`,
  title: `\`emit\`, ${listeners} ${listeners === 1 ? 'listener' : 'listeners'}`,
  about: '`emitter.emit(name, value)` with `delayEvents` armed.',
  cases: [
    armed('armed for another event, by its exact name', listeners, { only: 'other' }, bars.exact, bars.refused),
    armed('armed for other events, by a glob', listeners, { only: 'other:*' }, bars.glob),
    armed('armed at rate 0', listeners, { rate: 0 }, bars.rate0, bars.rate0 && 2.8),
    armed('armed with every filter', listeners, { ...ALL_FILTERS, only: ['tick', 'other:*'] }),
  ],
})

export const emitterSuites: readonly Suite[] = [
  emitter(1, { exact: { most: 1.6 }, glob: { most: 2 }, rate0: { most: 2 }, refused: 2.4 }),
  emitter(4, { exact: { most: 1.1 } }),
  emitter(50, {}),
]
