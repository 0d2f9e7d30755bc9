import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LinkedList, type LinkedItem } from './linked-list.js'

interface Item extends LinkedItem<Item> {
  readonly n: number
}

it('keeps the order in which items came, whichever of them leave', () =>
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('add' as const), fc.nat()), { maxLength: 200 }), (steps) => {
      const list = new LinkedList<Item>()
      const model: Item[] = []
      for (const [n, step] of steps.entries()) {
        const left = step === 'add' ? undefined : model[step % model.length]
        if (step === 'add') {
          const item: Item = { n, previous: undefined, next: undefined }
          list.add(item)
          model.push(item)
        } else if (left !== undefined) {
          list.remove(left)
          model.splice(model.indexOf(left), 1)
          expect([left.previous, left.next]).toEqual([undefined, undefined])
        }
        expect([list.length, list.first]).toEqual([model.length, model[0]])
        expect(list.toArray().map((item) => item.n)).toEqual(model.map((item) => item.n))
      }
    }),
  ))

it('gives the items as they are when it is asked, though they leave meanwhile', () => {
  const list = new LinkedList<Item>()
  for (let n = 0; n < 3; n += 1) list.add({ n, previous: undefined, next: undefined })
  for (const item of list.toArray()) list.remove(item)
  expect([list.length, list.toArray()]).toEqual([0, []])
})
