import { expect, it, vi } from 'vitest'
import { copyOf } from './copy-of.js'

it('copies lists, plain objects and bytes, and data that contains itself', () => {
  const data: Record<string, unknown> = { rows: [{ id: 1 }], bytes: Buffer.from('a'), at: new Date(0) }
  data['own'] = data
  const copy = copyOf(data) as typeof data
  expect(copy).toEqual(data)
  expect([copy['own'] === copy, copy['rows'] === data['rows'], copy['bytes'] === data['bytes']]).toEqual([
    true,
    false,
    false,
  ])
  expect(copy['at']).toBe(data['at'])
})

it('shares what is too large to copy, and reads no more of it than its bounds', () => {
  const read = vi.fn(() => 1)
  const long: unknown[] = []
  Object.defineProperty(long, 0, { get: read, enumerable: true })
  long.length = 4_000_000_000
  expect(copyOf(long)).toBe(long)
  expect(read).not.toHaveBeenCalled()
  const wide = Array.from({ length: 1_001 }, (_, at) => new Array<number>(1_000).fill(at))
  expect(copyOf(wide)).toBe(wide)
})
