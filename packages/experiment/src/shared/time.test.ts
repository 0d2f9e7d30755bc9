import { getEventListeners } from 'node:events'
import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { waiting } from '../run/waiting.js'
import { pause, withTimeout } from './time.js'

it('listens once to a signal, however many wait for it, and not at all afterwards', async () => {
  const { signal, ...over } = controllerOf()
  const clock = manualClock()
  const listeners = (): number => getEventListeners(signal, 'abort').length
  const never = (): Promise<never> => new Promise(() => undefined)
  const all = Array.from({ length: 30 }, () => [
    pause(clock, 1_000, signal),
    withTimeout(clock, 1_000, never, signal).catch((error: unknown) => (error as Error).message),
    waiting(clock, signal).until(() => false, 1_000),
  ]).flat()
  expect(listeners()).toBe(1)
  over.abort()
  expect(new Set(await Promise.all(all))).toEqual(new Set([undefined, 'the run is over', false]))
  expect(listeners()).toBe(0)
})

it('stops listening to a signal when it is done', async () => {
  const { signal } = controllerOf()
  const clock = manualClock()
  const paused = pause(clock, 10, signal)
  expect(await withTimeout(clock, 10, () => Promise.resolve(7), signal)).toBe(7)
  await clock.advance(10)
  await paused
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

function controllerOf(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
