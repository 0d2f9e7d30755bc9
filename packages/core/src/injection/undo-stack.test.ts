import { EventEmitter } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { drop } from '../../test/faults.js'
import { createChaos, target } from '../controller/create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import type { InjectionContext } from '../fault/fault.js'
import { inject } from './inject.js'

import { manualClock } from '../testing/manual-clock.js'
import { UNDO_TIMEOUT_MS } from './undo-stack.js'

const thrower = (): never => {
  throw new Error('of the application')
}
const never = (): Promise<void> => new Promise(() => undefined)

/** A fault that patches `emit`, and whose last undo step never settles. */
function hanging(more: (context: InjectionContext, log: string[]) => void | Promise<void> = () => undefined) {
  const log: string[] = []
  const fault = defineFault({
    name: 'test/hang-undo',
    kind: 'standing',
    summary: '',
    options: {},
    target: { expects: 'an emitter', accepts: () => true },
    inject(bus: EventEmitter, _options, context) {
      context.defer(() => void log.push('first'))
      context.patch(
        bus,
        'emit',
        (below) =>
          function (this: unknown, ...args: unknown[]): unknown {
            return Reflect.apply(below.call, this, args)
          },
      )
      context.defer(function closeServer() {
        log.push('hung')
        return never()
      })
      return more(context, log)
    },
  })
  return { fault, log }
}

const named = /Undo step 3 of test\/hang-undo@\S+#1 \(closeServer\) did not settle within 5000 ms/

describe('an undo step that never settles', () => {
  it.each([
    ['rollback', async ({ injection }: Ending) => injection.rollback()],
    ['stop', async ({ chaos, injection }: Ending) => chaos.stop(injection.id)],
    ['stopAll', async ({ chaos }: Ending) => chaos.stopAll()],
    ['close', async ({ chaos }: Ending) => chaos.close()],
  ])('does not keep %s from ending: the other steps run, and the error names it', async (_how, end) => {
    const clock = manualClock()
    const bus = new EventEmitter()
    const { fault, log } = hanging()
    const chaos = createChaos({ environment: 'test', clock, targets: { bus: target(bus, [fault, drop]) } })
    onTestFinished(() => chaos.close())
    const injection = await chaos.inject('bus', 'hang-undo')
    const other = await chaos.inject('bus', 'drop-events')
    const ending = end({ chaos, injection }).then(
      () => 'ended',
      (error: unknown) => error,
    )
    await clock.advance(UNDO_TIMEOUT_MS - 1)
    expect(log).toEqual(['hung'])
    await clock.advance(1)
    expect(await ending).toMatchObject({
      code: 'CHAOS_ROLLBACK_FAILED',
      message: expect.stringMatching(named) as string,
    })
    expect(log).toEqual(['hung', 'first'])
    await other.rollback()
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
    expect((await injection.done).failures).toEqual([expect.stringMatching(named)])
    expect(clock.pending).toBe(0)
  })

  it('does not keep a lease from ending', async () => {
    const clock = manualClock()
    const bus = new EventEmitter()
    const injection = await inject(hanging().fault(), bus, { clock, leaseMs: 10 })
    await clock.advance(10 + UNDO_TIMEOUT_MS)
    expect(await injection.done).toMatchObject({ outcome: 'lease-expired', failures: [expect.stringMatching(named)] })
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
  })

  it('does not keep the caller of a failed or aborted inject waiting', async () => {
    const clock = manualClock()
    const throwing = inject(hanging(() => Promise.reject(new Error('half way'))).fault(), new EventEmitter(), {
      clock,
    }).catch((error: unknown) => error)
    const caller = new AbortController()
    const aborted = inject(hanging(never).fault(), new EventEmitter(), { clock, signal: caller.signal }).catch(
      (error: unknown) => error,
    )
    caller.abort()
    await clock.advance(UNDO_TIMEOUT_MS)
    expect(await throwing).toMatchObject({
      code: 'CHAOS_ROLLBACK_FAILED',
      errors: [new Error('half way'), { code: 'CHAOS_ROLLBACK_FAILED' }],
    })
    expect(await aborted).toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
  })

  it('is waited for once: later steps that hang or fail are awaited together', async () => {
    const clock = manualClock()
    const fault = defineFault({
      name: 'test/hang-often',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_bus: object, _options, context) => {
        for (let step = 0; step < 100; step += 1) context.defer(never)
        context.defer(() => Promise.reject(new Error('late')))
        context.defer(never)
      },
    })
    const injection = await inject(fault(), {}, { clock })
    const ending = injection.rollback().catch((error: unknown) => error)
    await clock.advance(2 * UNDO_TIMEOUT_MS)
    const error = await ending
    expect(error).toMatchObject({
      code: 'CHAOS_ROLLBACK_FAILED',
      message: expect.stringContaining('reported 102 failures') as string,
    })
    expect((error as Error).message.length).toBeLessThan(17_000)
    expect(injection.failures).toHaveLength(21)
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['never settles', { then: () => undefined }, 'CHAOS_ROLLBACK_FAILED'],
    ['throws when it is looked at', Object.defineProperty({}, 'then', { get: thrower }), 'CHAOS_ROLLBACK_FAILED'],
    [
      'is a promise that throws when it is looked at',
      Object.defineProperty(Promise.resolve(), 'constructor', { get: thrower }),
      'CHAOS_ROLLBACK_FAILED',
    ],
    ['settles twice', { then: (resolve: () => void) => [1, 2].forEach(() => resolve()) }, undefined],
  ])('or returns a thenable that %s ends all the same', async (_what, returned, code) => {
    const clock = manualClock()
    const fault = defineFault({
      name: 'test/odd-undo',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_bus: object, _options, context) => context.defer(() => returned as never),
    })
    const injection = await inject(fault(), {}, { clock })
    const ending = injection.rollback().then(
      () => undefined,
      (error: unknown) => (error as { readonly code: string }).code,
    )
    await clock.advance(UNDO_TIMEOUT_MS)
    expect(await ending).toBe(code)
    expect(injection.status).toBe('ended')
  })

  it.each([[5], [null], [{ then: (resolve: () => void) => resolve() }]])(
    'is no matter of what a fault returns: %j',
    async (returned) => {
      const fault = defineFault({
        name: 'test/odd-inject',
        kind: 'standing',
        summary: '',
        options: {},
        target: { expects: '', accepts: () => true },
        inject: () => returned as never,
      })
      const injection = await inject(fault(), {})
      expect(injection.status).toBe('active')
      await injection.rollback()
    },
  )

  it('whose `then` throws is reported, and one that ends its own injection is cut off', async () => {
    const clock = manualClock()
    const log: string[] = []
    const ending: { again?: () => Promise<unknown> } = {}
    const fault = defineFault({
      name: 'test/undo-oddly',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_bus: object, _options, context) => {
        context.defer(() => void log.push('first'))
        context.defer(async () => {
          await ending.again?.()
        })
        context.defer((() => Object.defineProperty({}, 'then', { get: thrower })) as () => void)
      },
    })
    const injection = await inject(fault(), {}, { clock })
    ending.again = () => injection.rollback()
    const rolledBack = injection.rollback().catch((error: unknown) => error)
    await clock.advance(UNDO_TIMEOUT_MS)
    expect(await rolledBack).toMatchObject({ code: 'CHAOS_ROLLBACK_FAILED' })
    expect(log).toEqual(['first'])
    expect((await injection.done).failures).toHaveLength(2)
  })

  it('that is synchronous and returns a value is not awaited', async () => {
    const removed = new Set([1])
    const fault = defineFault({
      name: 'test/return-true',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_bus: object, _options, context) => {
        context.defer(() => void removed.delete(2))
        context.defer((() => removed.delete(1)) as () => void)
      },
    })
    const injection = await inject(fault(), {})
    const ending = injection.rollback()
    expect(injection.status).toBe('ended')
    await ending
  })
})

interface Ending {
  readonly chaos: { stop(id: string): Promise<unknown>; stopAll(): Promise<unknown>; close(): Promise<void> }
  readonly injection: { readonly id: string; rollback(): Promise<unknown> }
}
