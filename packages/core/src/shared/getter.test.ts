import { describe, expect, it } from 'vitest'
import { askedOf } from './getter.js'

describe('askedOf', () => {
  it('returns what a function returns, and any other target as it is', () => {
    const target = {}
    expect([askedOf(() => target, 'the target'), askedOf(target, 'the target')]).toEqual([target, target])
  })

  it('refuses a function that returns a promise, whose rejection it handles', async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    expect(() => askedOf(() => Promise.reject(new Error('away')), 'the current workers')).toThrow(
      expect.objectContaining({
        code: 'CHAOS_TARGET_MISMATCH',
        message:
          'Expected the function to return the current workers, got a promise. Pass a function that is not `async`.',
      }),
    )
    await new Promise(setImmediate)
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })

  it.each([
    ['class', EventTarget],
    ['bound class', Function.prototype.bind.call(EventTarget, undefined)],
    ['bound class of the engine', Function.prototype.bind.call(Map, undefined)],
  ])('refuses a %s', (_what, target) => {
    expect(() => askedOf(target, 'the current workers')).toThrow(
      expect.objectContaining({
        code: 'CHAOS_TARGET_MISMATCH',
        message: expect.stringContaining('got a class') as string,
      }),
    )
  })

  it('passes on the error of a function', () => {
    const error = new TypeError('not yet')
    expect(() =>
      askedOf(() => {
        throw error
      }, 'the current workers'),
    ).toThrow(error)
  })
})
