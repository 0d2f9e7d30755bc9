import { expect, it } from 'vitest'
import { memoryEngine } from '../../transports/memory.js'
import { lastEntries } from './entries.js'

async function logOf(count: number) {
  const transport = memoryEngine().controller()
  for (let number = 1; number <= count; number += 1) await transport.note('note', 'ann', { number: String(number) })
  return transport
}

const numbers = ({ entries }: Awaited<ReturnType<typeof lastEntries>>): readonly number[] =>
  entries.map(({ details }) => Number(details['number']))

it('reads page by page, backwards, and returns each entry once and in order', async () => {
  const transport = await logOf(2_345)
  const all = await lastEntries(transport, () => false, 10_000)
  expect(all.isComplete).toBe(true)
  expect(numbers(all)).toEqual(Array.from({ length: 2_345 }, (_, index) => index + 1))
})

it('ends where it was told to, also between two pages', async () => {
  const transport = await logOf(2_345)
  for (const from of [1, 345, 1_344, 1_345, 1_346, 2_344, 2_345]) {
    const found = await lastEntries(transport, ({ details }) => Number(details['number']) <= from, 10_000)
    expect(found.isComplete).toBe(true)
    expect(numbers(found)).toEqual(Array.from({ length: 2_345 - from }, (_, index) => from + index + 1))
  }
})

it('says that entries are missing where there are more than it may read', async () => {
  const transport = await logOf(2_345)
  const some = await lastEntries(transport, () => false, 1_500)
  expect(some.isComplete).toBe(false)
  expect(numbers(some)).toEqual(Array.from({ length: 1_500 }, (_, index) => 846 + index))
})
