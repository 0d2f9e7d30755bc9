import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { defineFault } from './define-fault.js'
import { inject } from './inject.js'
import { optionsSchema } from './options.js'

const dropAll = defineFault({
  name: 'test/drop',
  kind: 'standing',
  summary: 'Loses every event.',
  schema: optionsSchema({}),
  expects: 'an emitter',
  accepts: (value) => value instanceof EventEmitter,
  inject(bus: EventEmitter, _options, context) {
    context.patch(bus, 'emit', (below) =>
      function (this: unknown, ...args: unknown[]): unknown {
        return context.operation('emit').shouldInject(args) ? false : (below.call.apply(this, args) as unknown)
      })
  },
})

function unreadable(): readonly unknown[] {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const getter = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('a getter of the application')
    },
  })
  return [proxy, getter, Object.create(null), Symbol('x'), undefined]
}

it('leaves a call alone on which `only` throws, whatever it throws', async () => {
  for (const thrown of unreadable()) {
    const bus = new EventEmitter().on('tick', () => undefined)
    const injection = await inject(dropAll(), bus, {
      only: () => {
        throw thrown
      },
    })
    expect(bus.emit('tick')).toBe(true)
    expect(injection.seen).toBe(0)
    await injection.rollback()
  }
})
