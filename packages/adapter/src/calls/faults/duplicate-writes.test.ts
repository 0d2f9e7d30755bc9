import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { describeContract, Store } from '../../../test/store.js'
import { duplicateWrites } from './duplicate-writes.js'

describe('duplicateWrites', () => {
  describe('with late copies', () => describeContract(() => duplicateWrites({ methods: 'set', afterMs: 100 })))

  it('does each affected write so often again, right behind the first, whose answer the caller gets', async () => {
    const counter = {
      count: 0,
      async increment(): Promise<number> {
        return Promise.resolve((this.count += 1))
      },
    }
    await withFault(duplicateWrites({ methods: 'increment', copies: 2 }), counter, async (injection) => {
      expect([await counter.increment(), counter.count]).toEqual([1, 3])
      expect([await counter.increment(), counter.count]).toEqual([4, 6])
      expect(injection.affected).toBe(2)
    })
    expect(await counter.increment()).toBe(7)
  })

  it('brings a late copy behind a newer write, which it undoes', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(duplicateWrites({ methods: 'set', afterMs: 100 }), store, { clock, limit: 1 })
    await store.set('a', 'old')
    await store.set('a', 'new')
    await clock.advance(99)
    expect([await store.get('a'), injection.held]).toEqual(['new', 1])
    await clock.advance(1)
    expect([await store.get('a'), injection.status]).toEqual(['old', 'ended'])
  })

  it('sends copies that are still to come when it ends', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(duplicateWrites({ methods: 'set', afterMs: 100 }), store, { clock })
    await store.set('a', '1')
    await injection.rollback()
    expect([store.reached, clock.pending]).toEqual([['set a', 'set a'], 0])
  })

  it('keeps to itself what becomes of the copies', async () => {
    const store = {
      calls: 0,
      async write(): Promise<string> {
        this.calls += 1
        return this.calls === 1 ? Promise.resolve('first') : Promise.reject(new Error(`call ${this.calls}`))
      },
    }
    await withFault(duplicateWrites({ methods: 'write', copies: 3 }), store, async () =>
      expect(await store.write()).toBe('first'),
    )
    expect(store.calls).toBe(4)
  })
})
