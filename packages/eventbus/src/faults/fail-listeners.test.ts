import { EventEmitter, captureRejectionSymbol } from 'node:events'
import { inject, injectedBy } from '@chaos/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { broken } from '../../test/emitter-contract.js'
import { failListeners } from './fail-listeners.js'

/** Collects unhandled rejections instead of letting them end the run. */
function unhandled(): unknown[] {
  const errors: unknown[] = []
  const before = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error) => errors.push(error))
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection')
    for (const listener of before) process.on('unhandledRejection', listener)
  })
  return errors
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('failListeners', () => {
  it('throws out of emit, fresh and marked each time, and keeps those behind from being called', async () => {
    const { bus, injection } = await broken(failListeners({ subscriber: 'second', message: 'no database' }))
    const called: string[] = []
    bus
      .removeAllListeners('tick')
      .on('tick', function first() {
        called.push('first')
      })
      .on('tick', function second() {
        called.push('second')
      })
      .on('tick', function third() {
        called.push('third')
      })
    const errors = [1, 2].map(() => {
      try {
        return bus.emit('tick')
      } catch (error) {
        return error as Error
      }
    }) as Error[]
    expect(errors.map((error) => [error.message, injectedBy(error)])).toEqual([
      ['no database', 'eventbus/fail-listeners'],
      ['no database', 'eventbus/fail-listeners'],
    ])
    expect(errors[0]).not.toBe(errors[1])
    expect(called).toEqual(['first', 'first'])
    expect(injection.account).toMatchObject({ sent: 2, delivered: 2, failed: 2 })
  })

  it('rejects to the process, as an async listener does, and answers as in health', async () => {
    const errors = unhandled()
    const { bus, got } = await broken(failListeners({ how: 'reject' }))
    expect(bus.emit('tick')).toBe(true)
    await turn()
    expect(errors.map(injectedBy)).toEqual(['eventbus/fail-listeners'])
    expect(got).toEqual([])
  })

  it('rejects to an emitter that captures rejections: to its error event, or its own handler', async () => {
    const makeError = (): Error => new RangeError('mine')
    for (const own of [false, true]) {
      const bus = new EventEmitter({ captureRejections: true }).on('tick', () => undefined)
      const caught: unknown[] = []
      if (own) Object.assign(bus, { [captureRejectionSymbol]: (...args: unknown[]) => caught.push(...args) })
      else bus.on('error', (error) => caught.push(error))
      const injection = await inject(failListeners({ how: 'reject', makeError }), bus, { only: 'tick' })
      bus.emit('tick', 7)
      await turn()
      expect(caught).toEqual(own ? [new RangeError('mine'), 'tick', 7] : [new RangeError('mine')])
      await injection.rollback()
    }
  })

  it('leaves the rejections of listeners it spares to whoever had them', async () => {
    const bus = new EventEmitter({ captureRejections: true })
    const caught: unknown[] = []
    bus.on('error', (error) => caught.push(error))
    bus.on('tick', (() => Promise.reject(new Error('real'))) as () => void)
    const injection = await inject(failListeners({ subscriber: 'nobody' }), bus)
    bus.emit('tick')
    await turn()
    await injection.rollback()
    bus.emit('tick')
    await turn()
    expect(caught).toEqual([new Error('real'), new Error('real')])
  })
})
