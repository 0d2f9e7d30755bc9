import { expect, it } from 'vitest'
import { ReadBuffer } from './read-buffer.js'

/** A buffer whose last read filled the small one, so that the next read has a large one. */
function busyBuffer(): ReadBuffer {
  const buffer = new ReadBuffer()
  buffer.fit(buffer.next().length)
  return buffer
}

it('reads into a large buffer while reads fill the small one', () => {
  const buffer = new ReadBuffer()
  const small = buffer.next()
  buffer.fit(small.length)
  expect(buffer.next().length).toBeGreaterThan(small.length)
  buffer.fit(10)
  expect(buffer.next()).toBe(small)
})

it('gives its buffers to the next connections when it is released', () => {
  const closed = new ReadBuffer()
  const small = closed.next()
  closed.fit(small.length)
  const large = closed.next()
  closed.release()
  const next = new ReadBuffer()
  expect(next.next()).toBe(small)
  next.fit(small.length)
  expect(next.next()).toBe(large)
})

it('shares nothing between connections that are open', () => {
  const [one, other] = [busyBuffer(), busyBuffer()]
  expect(one.next()).not.toBe(other.next())
})
