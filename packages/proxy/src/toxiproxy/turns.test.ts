import { expect, it } from 'vitest'
import { Turns } from './turns.js'

it('has work of one key wait for the work before it, also if that fails, and work of another key not', async () => {
  const turns = new Turns()
  const events: string[] = []
  let fail = (_error: Error): void => undefined
  const first = turns.take('a', () => new Promise((_resolve, reject) => (fail = reject)))
  const second = turns.take('a', () => events.push('second'))
  await turns.take('b', () => events.push('other'))
  expect(events).toEqual(['other'])
  const idle = turns.idle().then(() => events.push('idle'))
  fail(new Error('first'))
  await expect(first).rejects.toThrow('first')
  await second
  await idle
  expect(events).toEqual(['other', 'second', 'idle'])
})
