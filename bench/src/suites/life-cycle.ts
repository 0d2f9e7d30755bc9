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

/** Stops everything, with so many faults spread over so many buses and 10,000 events held in all. */
const stopAll = (
  name: string,
  {
    faults,
    buses,
    holdFirst = false,
  }: { readonly faults: number; readonly buses: number; readonly holdFirst?: boolean },
  rest: Pick<Case, 'bar' | 'refused'>,
): Case => ({
  name: `\`stopAll()\` with ${name} and ${HELD.toLocaleString('en')} events held`,
  unit: 'ms',
  ...rest,
  async measure(rounds) {
    const values: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      let delivered = 0
      const emitters = Array.from({ length: buses }, () => new EventEmitter().on('tick', () => (delivered += 1)))
      const chaos = createChaos({
        environment: 'test',
        targets: Object.fromEntries(emitters.map((bus, index) => [`bus${index}`, target(bus, [delayEvents])])),
      })
      const armOn = (index: number): Promise<unknown> =>
        chaos.controller.inject(`bus${index % buses}`, 'delay-events', { delayMs: 60_000 })
      const emitAll = (): void => {
        for (let event = 0; event < HELD; event += 1) (emitters[event % buses] as EventEmitter).emit('tick')
      }
      for (let fault = 0; fault < faults; fault += 1) {
        await armOn(fault)
        if (holdFirst && fault === 0) emitAll()
      }
      if (!holdFirst) emitAll()
      const start = performance.now()
      await chaos.stopAll()
      if (round >= 0) values.push(performance.now() - start)
      await chaos.close()
      if (delivered !== HELD) throw new Error(`Expected ${HELD} events to be delivered, got ${delivered}.`)
    }
    return { values }
  },
})

const stopping: readonly Case[] = [
  stopAll('1 fault in force', { faults: 1, buses: 1 }, { bar: { most: 50 } }),
  stopAll(
    `${FAULTS.toLocaleString('en')} faults in force`,
    { faults: FAULTS, buses: 1, holdFirst: true },
    { bar: { most: 10 }, refused: 150 },
  ),
  stopAll(
    `${FAULTS.toLocaleString('en')} faults stacked on one bus`,
    { faults: FAULTS, buses: 1 },
    { bar: { most: 50 }, refused: 500 },
  ),
  stopAll(
    `a fault on each of ${FAULTS.toLocaleString('en')} buses`,
    { faults: FAULTS, buses: FAULTS },
    { bar: { most: 50 }, refused: 500 },
  ),
]

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
  about:
    'The time from `inject()` to the end of `rollback()`, by the clock: these are no ratios, so a slow machine shows in them.',
  cases: [
    overlapping(1, { bar: { most: 20 }, refused: 300 }),
    method,
    overlapping(100),
    overlapping(1_000),
    ...stopping,
  ],
}
