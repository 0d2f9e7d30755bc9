import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { inWords } from './answer.js'
import { probeReader } from '../probes/read.js'
import { perform } from '../run/actions.js'

/** What a function of an experiment may throw. */
function unreadable(): readonly unknown[] {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const trap = (key: string): Error =>
    Object.defineProperty(new Error('x'), key, {
      get() {
        throw new Error('a getter')
      },
    })
  return [
    proxy,
    trap('message'),
    trap('cause'),
    Object.create(null),
    Object.assign(new Error('x'), { message: Symbol('y') }),
    undefined,
  ]
}

it('says in words whatever was thrown, and its cause', () => {
  expect(inWords(new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') }))).toBe(
    'fetch failed: connect ECONNREFUSED',
  )
  for (const thrown of unreadable()) expect(inWords(thrown)).not.toBe('')
})

it('takes a probe and an action that throw what cannot be read for ones that fail, so that the run goes on', async () => {
  const clock = manualClock()
  for (const thrown of unreadable()) {
    const fail = (): never => {
      throw thrown
    }
    expect(
      await probeReader({ name: 'p', type: 'function', read: fail, tolerance: { above: 0 } }, clock)(),
    ).toMatchObject({ quality: 'none', isGood: false })
    expect(await perform({ name: 'a', type: 'function', run: fail }, clock)).toMatch(/^a: /)
  }
})
