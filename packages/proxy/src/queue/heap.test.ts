import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Heap } from './heap.js'

it('returns the least item first, whatever comes and goes in between', () => {
  const step = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.constant('shift' as const),
    fc.record({ multiplesOf: fc.integer({ min: 2, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>((one, other) => one < other)
      let model: number[] = []
      for (const one of steps) {
        if (typeof one === 'number') {
          heap.push(one)
          model = [...model, one].sort((a, b) => a - b)
        } else if (one === 'shift') expect(heap.shift()).toBe(model.shift())
        else {
          const passes = (item: number): boolean => item % one.multiplesOf === 0
          expect([...heap.take(passes)].sort((a, b) => a - b)).toEqual(model.filter(passes))
          model = model.filter((item) => !passes(item))
        }
        expect([heap.length, heap.first]).toEqual([model.length, model[0]])
      }
    }),
  )
})
