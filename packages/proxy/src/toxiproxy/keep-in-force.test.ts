import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { createProxy, delayData } from '../index.js'
import { keepInForce, LONGEST_LEASE_MS } from './keep-in-force.js'

it('keeps a fault in force for longer than any lease, until it is ended', async () => {
  const clock = manualClock()
  const proxy = await createProxy({ upstream: '127.0.0.1:1', enabled: false })
  const injection = await inject(delayData({ delayMs: 1 }), proxy, { leaseMs: LONGEST_LEASE_MS, clock })
  keepInForce(injection, clock)
  for (let times = 0; times < 10; times += 1) await clock.advance(LONGEST_LEASE_MS / 2)
  expect(injection.status).toBe('active')
  await injection.rollback()
  expect(clock.pending).toBe(0)
  await proxy.close()
})
