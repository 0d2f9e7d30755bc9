import { EventEmitter } from 'node:events'
import { performance } from 'node:perf_hooks'
import { createChaos, inject, target } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'

/** Time to arm and roll back one fault, in µs: the median of so many. */
export async function armAndRollBackUs(times = 2_000): Promise<number> {
  const bus = new EventEmitter()
  const spans: number[] = []
  for (let index = 0; index < times; index += 1) {
    const start = performance.now()
    await (await inject(delayEvents({ delayMs: 1_000 }), bus)).rollback()
    spans.push((performance.now() - start) * 1_000)
  }
  return spans.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}

/** Time that `stopAll()` takes with 1,000 faults in force and 10,000 events held, in ms: the median of so many. */
export async function stopAllMs(times = 15): Promise<number> {
  const spans: number[] = []
  for (let round = 0; round < times; round += 1) {
    const bus = new EventEmitter().on('tick', () => undefined)
    const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [delayEvents]) } })
    await chaos.inject('bus', 'delay-events', { delayMs: 60_000 })
    for (let event = 0; event < 10_000; event += 1) bus.emit('tick')
    for (let fault = 1; fault < 1_000; fault += 1) await chaos.inject('bus', 'delay-events', { delayMs: 60_000 })
    const start = performance.now()
    await chaos.stopAll()
    spans.push(performance.now() - start)
    await chaos.close()
  }
  return spans.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}
