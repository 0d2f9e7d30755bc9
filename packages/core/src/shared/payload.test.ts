import { describe, expect, it } from 'vitest'
import { copiedBytes } from './payload.js'

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
