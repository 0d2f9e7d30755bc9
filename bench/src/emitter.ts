import { EventEmitter } from 'node:events'
import { inject, type InjectOptions } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import type { Case, Prepared } from './compare.js'

/** `emit` to so many listeners: bare, at rest after a rollback, and with a fault armed that does not affect the event. */
export function emitterCases(listeners: number): Case[] {
  const armed = (name: string, how: InjectOptions): Case => ({
    name,
    make: async () => {
      const bus = busWith(listeners)
      const injection = await inject(delayEvents({ delayMs: 1_000 }), bus, how)
      return { ...emitting(bus), dispose: async () => {
        await injection.rollback()
      } }
    },
  })
  return [
    { name: 'bare', make: () => emitting(busWith(listeners)) },
    {
      name: 'at rest, after a rollback',
      make: async () => {
        const bus = busWith(listeners)
        await (await inject(delayEvents({ delayMs: 1_000 }), bus)).rollback()
        return emitting(bus)
      },
    },
    armed('armed for another event (exact name)', { only: 'other' }),
    armed('armed for other events (glob)', { only: 'other:*' }),
    armed('armed at rate 0', { rate: 0 }),
  ]
}

function busWith(listeners: number): EventEmitter {
  const bus = new EventEmitter()
  for (let index = 0; index < listeners; index += 1) bus.on('tick', () => index)
  return bus
}

function emitting(bus: EventEmitter): Prepared {
  return { run: () => bus.emit('tick', 1) }
}
