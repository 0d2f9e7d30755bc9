import { ChaosError } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { outages } from './outages.js'

const unreachable = new ChaosError('CHAOS_FLEET_UNREACHABLE', 'It is away.')
const forbidden = new ChaosError('CHAOS_FLEET_FORBIDDEN', 'It refused.')

function scene() {
  const lines: string[] = []
  const clock = manualClock(1_000_000)
  return { lines, clock, ...outages(clock, (line) => lines.push(line)) }
}

it('tells once of each kind of trouble, whatever fails, and once that it is over', () => {
  const { lines, failed, works } = scene()
  for (let n = 0; n < 5; n += 1) {
    failed('read', unreachable)
    failed('ack', unreachable)
    failed('ack', forbidden)
  }
  expect(lines).toEqual([expect.stringContaining('It is away.'), expect.stringContaining('It refused.')])
  works('read')
  expect(lines).toHaveLength(2)
  works('ack')
  works('ack')
  expect(lines.slice(2)).toEqual(['The engine of the fleet answers again.'])
})

it('tells once a minute of trouble that comes and goes, and of all that stays', async () => {
  const { lines, clock, failed, works } = scene()
  for (let n = 0; n < 590; n += 1) {
    failed('read', unreachable)
    works('read')
    await clock.advance(100)
  }
  expect(lines).toHaveLength(2)
  failed('read', unreachable)
  expect(lines).toHaveLength(2)
  await clock.advance(1_000)
  failed('read', unreachable)
  expect(lines).toHaveLength(3)
})
