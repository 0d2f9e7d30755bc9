import type { BroadcastChannel } from 'node:worker_threads'
import { manualClock } from '@chaos/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { Pairing } from './pairing.js'

/** One end, whose notices arrive when the test says so. */
function end() {
  const said: unknown[] = []
  const channel = {
    onmessage: (_event: { readonly data: unknown }): void => undefined,
    postMessage: (notice: unknown) => void said.push(notice),
    unref: () => undefined,
    close: () => undefined,
  }
  const pairing = new Pairing('orders', () => channel as unknown as BroadcastChannel, manualClock())
  onTestFinished(() => pairing.close())
  return { pairing, said, hears: (notices: unknown[]) => notices.splice(0).map((data) => channel.onmessage({ data })) }
}

it('sends no envelope before the other end has met this one, which else would answer without a scope', async () => {
  const [near, far] = [end(), end()]
  near.pairing.begin()
  near.said.length = 0
  far.pairing.begin()
  near.hears(far.said)
  expect([near.pairing.isPaired, far.pairing.isPaired]).toEqual([false, false])
  far.hears(near.said)
  expect([near.pairing.isPaired, far.pairing.isPaired]).toEqual([false, true])
  near.hears(far.said)
  expect([near.pairing.isPaired, near.said]).toEqual([true, []])
  await Promise.all([near.pairing.paired, far.pairing.paired])
})

it('meets another end of the name anew', () => {
  const [near, first, second] = [end(), end(), end()]
  near.pairing.begin()
  first.pairing.begin()
  for (let n = 0; n < 3; n += 1) {
    near.hears(first.said)
    first.hears(near.said)
  }
  expect(near.pairing.isPaired).toBe(true)
  second.pairing.begin()
  near.hears(second.said)
  expect(near.pairing.isPaired).toBe(false)
  second.hears(near.said)
  near.hears(second.said)
  expect(near.pairing.isPaired).toBe(true)
})
