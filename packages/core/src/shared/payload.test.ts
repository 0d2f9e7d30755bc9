import { describe, expect, it } from 'vitest'
import { copiedBytes, fieldOf } from './payload.js'

describe('a copy of bytes', () => {
  it('has the same type, and holds only the visible part of a view', () => {
    const beneath = Uint8Array.from({ length: 1_000_000 }, (_, index) => index).buffer
    const views = [
      new Uint8Array(beneath, 8, 4),
      new Float64Array(beneath, 8, 2),
      new DataView(beneath, 8, 4),
      Buffer.from(beneath, 8, 4),
    ]
    for (const view of views) {
      const copy = copiedBytes(view) as typeof view
      expect(copy).toStrictEqual(view)
      expect(copy.constructor).toBe(view.constructor)
      expect(copy.buffer).not.toBe(beneath)
      expect(copy.buffer.byteLength).toBeLessThan(100_000)
    }
    expect(copiedBytes(beneath)).toStrictEqual(beneath)
    expect(copiedBytes('text')).toBe('text')
  })

  it('is the original if the buffer is detached', () => {
    const view = new Uint8Array(4)
    structuredClone(view.buffer, { transfer: [view.buffer] })
    expect(copiedBytes(view)).toBe(view)
  })
})

it('finds fields by path, and no inherited names', () => {
  class Order {
    readonly lines = [{ price: 5 }]
    get total(): number {
      return this.lines.length * 5
    }
  }
  const order = new Order()
  expect([fieldOf(order, 'lines.0.price'), fieldOf(order, 'total')]).toEqual([5, 5])
  for (const path of ['lines.length', 'lines.map', 'toString', '__proto__', 'constructor.prototype'])
    expect(fieldOf(order, path)).toBeUndefined()
  expect(fieldOf('{"__proto__":1}', '__proto__')).toBe(1)
})
