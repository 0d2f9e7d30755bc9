import { EventEmitter } from 'node:events'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createChaos } from '../controller/create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import { isChaosError } from '../basics/errors.js'
import type { InjectionContext } from '../fault/fault.js'
import { inject } from './inject.js'
import { option } from '../fault/option.js'

const dropAll = defineFault({
  name: 'test/drop',
  kind: 'standing',
  summary: 'Loses every event.',
  options: {},
  target: { expects: 'an emitter', accepts: (value) => value instanceof EventEmitter },
  inject(bus: EventEmitter, _options, context) {
    context.patch(
      bus,
      'emit',
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return context.operation('emit').shouldInject(args) ? false : (below.call.apply(this, args) as unknown)
        },
    )
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
  const text = Object.assign(() => undefined, {
    toString() {
      throw new Error('a toString of the application')
    },
  })
  return [proxy, getter, text, Object.create(null), Symbol('x'), undefined]
}

/** A fault made of the steps of one test. */
const doing = (steps: (context: InjectionContext) => void) =>
  defineFault({
    name: 'test/do',
    kind: 'standing',
    summary: '',
    options: {},
    target: { expects: 'anything', accepts: () => true },
    inject: (_target: object, _options, context) => steps(context),
  })()

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

it('ends everything although an undo step throws an unreadable value', async () => {
  const chaos = createChaos({ environment: 'test' })
  onTestFinished(() => chaos.close())
  for (const thrown of unreadable()) {
    const bus = new EventEmitter().on('tick', () => undefined)
    const dropping = await inject(dropAll(), bus)
    const injection = await inject(
      doing((context) =>
        context.defer(() => {
          throw thrown
        }),
      ),
      {},
    )
    const error: unknown = await chaos.stopAll().catch((refused: unknown) => refused)
    expect(isChaosError(error, 'CHAOS_ROLLBACK_FAILED')).toBe(true)
    expect([dropping.status, injection.status]).toEqual(['ended', 'ended'])
    expect((await injection.done).failures).toHaveLength(1)
    expect(bus.emit('tick')).toBe(true)
  }
})

it('rolls back a fault that throws an unreadable value, and rethrows that value', async () => {
  for (const thrown of unreadable()) {
    const undo = vi.fn()
    const caught: unknown[] = []
    await inject(
      doing((context) => {
        context.defer(undo)
        throw thrown
      }),
      {},
    ).catch((error: unknown) => caught.push(error))
    expect(caught[0] === thrown).toBe(true)
    expect(undo).toHaveBeenCalledOnce()
  }
})

it('ends an injection whose option has become unreadable', async () => {
  const { proxy, revoke } = Proxy.revocable(new EventEmitter(), {})
  const keeping = defineFault({
    name: 'test/keep',
    kind: 'standing',
    summary: '',
    options: { it: option.value('Anything.') },
    target: { expects: 'anything', accepts: () => true },
    inject: () => undefined,
  })
  const injection = await inject(keeping({ it: proxy }), {})
  revoke()
  await injection.rollback()
  expect(injection.snapshot()).toMatchObject({ status: 'ended', options: { it: 'an object' } })
})

it('distinguishes a ChaosError from an unreadable value', () => {
  for (const thrown of unreadable()) expect(isChaosError(thrown)).toBe(false)
})
