import { inject, withFault } from '@chaos/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { loseWrites } from './lose-writes.js'

describe('loseWrites', () => {
  it('acknowledges as many writes as it counts, and none of them reaches the store', () =>
    fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(40),
        fc.integer(),
        async (rate, calls, seed) => {
          const store = new Store()
          await withFault(loseWrites({ methods: 'set', answer: 'OK' }), store, { rate, seed }, async (injection) => {
            const answers = await Promise.all(Array.from({ length: calls }, (_, n) => store.set(String(n), 'x')))
            expect(answers.every((answer) => answer === 'OK')).toBe(true)
            expect([injection.seen, store.size]).toEqual([calls, calls - injection.affected])
          })
        },
      ),
    ))

  it('gives each caller an acknowledgement of its own', async () => {
    const answer = { rows: [1], bytes: Buffer.from('a') }
    const store = {
      async save(_row: string): Promise<typeof answer> {
        return Promise.resolve({ rows: [], bytes: Buffer.alloc(0) })
      },
    }
    await withFault(loseWrites({ methods: 'save', answer }), store, async () => {
      const [first, second] = [await store.save('a'), await store.save('b')]
      expect([first, second]).toEqual([answer, answer])
      first.rows.push(2)
      first.bytes[0] = 0
      expect([second, answer]).toEqual([
        { rows: [1], bytes: Buffer.from('a') },
        { rows: [1], bytes: Buffer.from('a') },
      ])
    })
  })

  it('answers at once where the method does', async () => {
    const target = {
      written: 0,
      write() {
        return (this.written += 1)
      },
    }
    await withFault(loseWrites({ methods: 'write', answers: 'value', answer: 7 }), target, () =>
      expect(target.write()).toBe(7),
    )
    expect(target.written).toBe(0)
  })

  it('is portable with an answer that JSON can carry', () => {
    expect(
      [loseWrites({ methods: 'set', answer: ['OK', null] }), loseWrites({ methods: 'set', answer: new Map() })].map(
        ({ portable }) => portable,
      ),
    ).toEqual([true, false])
  })

  it('refuses what answers with more than one value, and wants its methods named', async () => {
    await expect(inject(loseWrites({ methods: 'scan' }), new Store())).rejects.toThrow(
      'Expected methods that answer with one value, got `scan`',
    )
    expect(() => loseWrites({} as never)).toThrow('Expected `methods` of adapter/lose-writes to be a name or glob')
  })
})
