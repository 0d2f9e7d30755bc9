import type { EventEmitter } from 'node:events'
import { EventEmitter as Emitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { delayEvents } from '@chaos/eventbus'
import { arm } from '../runner/arm.js'
import { comparison, type Case, type Suite } from '../runner/case.js'

const refuse = refuseCalls({ methods: 'get' })
const delay = delayEvents({ delayMs: 1_000 })

const faults = (count: number): Case =>
  comparison(`an asynchronous call, ${count} ${count === 1 ? 'fault' : 'faults'} armed on it at rate 0`, {
    target: 'async-call',
    prepare: async (client: object) => {
      for (let index = 0; index < count; index += 1) await arm(refuse, client, { rate: 0 })
      return client
    },
  })

const targets = (count: number): Case =>
  comparison(`\`emit\`, 1 listener, ${count} ${count === 1 ? 'bus' : 'buses'} with a fault for another event`, {
    target: 'emitter',
    prepare: async (bus: EventEmitter) => {
      await arm(delay, bus, { only: 'other' })
      for (let index = 1; index < count; index += 1) {
        const another = new Emitter().on('tick', () => undefined)
        await arm(delay, another, { only: 'other' })
        for (let event = 0; event < 1_000; event += 1) another.emit('tick', event)
      }
      return bus
    },
  })

const events = (count: number): Case =>
  comparison(
    `\`emit\`, names in turn: ${count}, fault armed for others by a glob`,
    {
      target: 'emitter-names',
      parameter: count,
      prepare: async ({ bus, ...rest }: { readonly bus: EventEmitter }) => {
        await arm(delay, bus, { only: 'other:*' })
        return { bus, ...rest }
      },
    },
    { bar: { most: 2 } },
  )

export const growth: Suite = {
  name: 'growth',
  title: 'How the cost grows',
  about: 'With faults on one target, with targets, and with names of events.',
  cases: [...[1, 2, 4, 8, 16].map(faults), ...[1, 2, 4, 16].map(targets), ...[1, 10, 100].map(events)],
}
