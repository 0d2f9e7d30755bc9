import { expect, it, onTestFinished } from 'vitest'
import { OwnDelay } from './own-delay.js'

function own(): { delay: OwnDelay; after: (ms: number) => void } {
  let now = 0
  const delay = new OwnDelay(() => now)
  onTestFinished(() => delay.close())
  return { delay, after: (ms) => void (now += ms) }
}

it('has a stall that began right after it was taken', () => {
  const { delay, after } = own()
  expect(delay.take()).toBe(0)
  after(150)
  expect(delay.peek()).toBe(140)
  expect(delay.take()).toBe(140)
  expect(delay.take()).toBe(0)
})

it('keeps the worst until it is taken, and forgets what is over 10 s ago', () => {
  const { delay, after } = own()
  after(500)
  expect(delay.peek()).toBe(490)
  for (let turn = 0; turn < 900; turn += 1) {
    after(10)
    delay.peek()
  }
  expect(delay.peek()).toBe(490)
  for (let turn = 0; turn < 250; turn += 1) {
    after(10)
    delay.peek()
  }
  expect(delay.take()).toBe(0)
})
