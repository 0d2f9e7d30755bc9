import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Fifo } from './fifo.js'

it('behaves as an array does', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom('push', 'push', 'shift', 'unshift', 'clear'), { maxLength: 300 }), (steps) => {
      const fifo = new Fifo<number>()
      let array: number[] = []
      steps.forEach((step, n) => {
        if (step === 'push') {
          fifo.push(n)
          array.push(n)
        } else if (step === 'unshift') {
          fifo.unshift(n)
          array.unshift(n)
        } else if (step === 'clear') {
          fifo.clear()
          array = []
        } else expect(fifo.shift()).toBe(array.shift())
        expect([fifo.length, fifo.first]).toEqual([array.length, array[0]])
      })
    }),
  ))

it('frees what has left a long queue', () => {
  const fifo = new Fifo<number>()
  for (let n = 0; n < 5_000; n += 1) fifo.push(n)
  for (let n = 0; n < 4_000; n += 1) expect(fifo.shift()).toBe(n)
  fifo.unshift(-1)
  expect([fifo.length, fifo.shift(), fifo.shift()]).toEqual([1_001, -1, 4_000])
})
