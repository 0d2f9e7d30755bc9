import { injectedBy, withFault } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { failAfterCall } from './fail-after-call.js'

describe('failAfterCall', () => {
  it('lets the service do it, then fails the call with a fresh, marked error each time', async () => {
    const store = new Store()
    await withFault(failAfterCall({ methods: 'set' }), store, async (injection) => {
      const errors = await Promise.all(['a', 'b'].map((key) => store.set(key, '1').catch((error: unknown) => error)))
      expect(errors).toEqual([
        expect.objectContaining({ code: 'ECONNRESET', syscall: 'read' }),
        expect.objectContaining({ code: 'ECONNRESET' }),
      ])
      expect(errors[0]).not.toBe(errors[1])
      expect(errors.map(injectedBy)).toEqual(['adapter/fail-after-call', 'adapter/fail-after-call'])
      expect([await store.get('a'), await store.get('b')]).toEqual(['1', '1'])
      expect(injection.affected).toBe(2)
    })
  })

  it('leaves a call that the service fails its own error', async () => {
    const store = new Store()
    await withFault(failAfterCall(), store, async (injection) => {
      await expect(store.fail()).rejects.toThrow(new RangeError('its own'))
      expect([injection.seen, injection.affected]).toEqual([1, 0])
    })
    expect(store.reached).toEqual(['fail'])
  })

  it('fails a function that answers at once by throwing, after it has done its work', async () => {
    const done: string[] = []
    const target = { write: (text: string) => done.push(text) }
    await withFault(failAfterCall({ methods: 'write', answers: 'value', message: 'lost' }), target, () => {
      expect(() => target.write('a')).toThrow('lost')
    })
    expect(done).toEqual(['a'])
  })

  it('gives all items of an iteration, and breaks where it would have ended', async () => {
    const store = new Store()
    await store.set('a', '1')
    await store.set('b', '2')
    await withFault(failAfterCall({ methods: ['keys', 'scan'], message: 'lost' }), store, async () => {
      const keys: string[] = []
      expect(() => {
        for (const key of store.keys()) keys.push(key)
      }).toThrow('lost')
      await expect(
        (async () => {
          for await (const key of store.scan()) keys.push(key)
        })(),
      ).rejects.toThrow('lost')
      expect(keys).toEqual(['a', 'b', 'a', 'b'])
    })
  })

  it('refuses more than one description of its error', () => {
    expect(() => failAfterCall({ error: 'EPIPE', code: 'X' })).toThrow(
      'adapter/fail-after-call accepts one description of its error, but several were given: `error`; `message`, `code` and `name`.',
    )
  })
})
