import { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { createChaos, inject, target, type Injection } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import type { Case, Suite } from '../runner/case.js'
import { median } from '../runner/statistics.js'

const US_PER_MS = 1_000
const delay = delayEvents({ delayMs: 60_000 })

/** Arms so many faults on one target and rolls them back in the order in which they came; a reading is the time of one of them. */
const overlapping = (faults: number, rest: Pick<Case, 'bar' | 'refused'> = {}): Case => ({
  name: faults === 1 ? 'one fault' : `each of ${faults.toLocaleString('en')} overlapping faults on one target`,
  unit: 'µs',
  ...rest,
  async measure(rounds) {
    const once = async (): Promise<number> => {
      const bus = new EventEmitter()
      const injections: Injection[] = []
      const start = performance.now()
      for (let index = 0; index < faults; index += 1) injections.push(await inject(delay, bus))
      for (const injection of injections) await injection.rollback()
      return ((performance.now() - start) * US_PER_MS) / faults
    }
    // One arming is too short to be timed by itself.
    const repeat = faults === 1 ? 200 : 1
    const warmUps = faults === 1 ? 25 : faults === 100 ? 30 : 0
    const values: number[] = []
    for (let round = -warmUps; round < rounds; round += 1) {
      const spans: number[] = []
      for (let time = 0; time < repeat; time += 1) spans.push(await once())
      if (round >= 0) values.push(median(spans))
    }
    return { values }
  },
})

const FAULTS = 1_000
const HELD = 10_000
const WARM_UPS = 3

const stopAll: Case = {
  name: `\`stopAll()\` with ${FAULTS.toLocaleString('en')} faults in force and ${HELD.toLocaleString('en')} events held`,
  unit: 'ms',
  bar: { most: 10 },
  refused: 150,
  async measure(rounds) {
    const values: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      const bus = new EventEmitter().on('tick', () => undefined)
      const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [delayEvents]) } })
      await chaos.inject('bus', 'delay-events', { delayMs: 60_000 })
      for (let event = 0; event < HELD; event += 1) bus.emit('tick')
      for (let fault = 1; fault < FAULTS; fault += 1) await chaos.inject('bus', 'delay-events', { delayMs: 60_000 })
      const start = performance.now()
      await chaos.stopAll()
      if (round >= 0) values.push(performance.now() - start)
      await chaos.close()
    }
    return { values }
  },
}

const method: Case = {
  name: 'one fault on an asynchronous method',
  unit: 'µs',
  bar: { most: 20 },
  async measure(rounds) {
    const refuse = refuseCalls({ methods: 'get' })
    const values: number[] = []
    for (let round = -25; round < rounds; round += 1) {
      const spans: number[] = []
      for (let time = 0; time < 200; time += 1) {
        const store = { get: async () => Promise.resolve() }
        const start = performance.now()
        await (await inject(refuse, store)).rollback()
        spans.push((performance.now() - start) * US_PER_MS)
      }
      if (round >= 0) values.push(median(spans))
    }
    return { values }
  },
}

export const lifeCycle: Suite = {
  name: 'life-cycle',
  title: 'Arming, rolling back, stopping',
  about: 'The time from `inject()` to the end of `rollback()`, by the clock: these are no ratios, so a slow machine shows in them.',
  cases: [overlapping(1, { bar: { most: 20 }, refused: 300 }), method, overlapping(100), overlapping(10_000), stopAll],
}
