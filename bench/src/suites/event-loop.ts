import { EventEmitter } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { inject, type Fault } from '@chaos/core'
import { delayEvents, dropEvents, duplicateEvents, reorderEvents } from '@chaos/eventbus'
import type { Case, Suite } from '../runner/case.js'

const EVENTS = 1_000_000
/** Each ms, where the loop comes round that fast: the load takes ten seconds and more. */
const EVENTS_PER_TURN = 100
const NS_PER_MS = 1_000_000

/** The load of the test of accounts, in real time. */
const OVERLAPPING: readonly (readonly [fault: Fault<EventEmitter>, rate: number])[] = [
  [dropEvents(), 0.1],
  [duplicateEvents(), 0.1],
  [reorderEvents({ window: 8, withinMs: 50 }), 0.2],
  [delayEvents({ delayMs: 10, jitterMs: 5 }), 0.3],
]

/** The p99 delay of the event loop while events are emitted, in ms: how long a timer or a socket that is ready waits. */
async function p99Ms(faults: typeof OVERLAPPING): Promise<number> {
  let got = 0
  const bus = new EventEmitter().on('tick', () => (got += 1))
  const injections = []
  for (const [fault, rate] of faults)
    injections.push(await inject(fault, bus, { rate, seed: 'bench', leaseMs: 600_000 }))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let sent = 0; sent < EVENTS;) {
    // Never more at once to catch up: that would be a load of its own on a machine that is busy.
    await new Promise((resolve) => setTimeout(resolve, 1))
    for (const end = sent + EVENTS_PER_TURN; sent < end; sent += 1) bus.emit('tick', sent)
  }
  delay.disable()
  for (const injection of injections.reverse()) await injection.rollback()
  if (got === 0) throw new Error('Expected events to arrive, none did.')
  return delay.percentile(99) / NS_PER_MS
}

const loop = (name: string, measureOnce: () => Promise<number>, rest: Partial<Case> = {}): Case => ({
  name,
  unit: 'ms',
  // Ten seconds and more each: one reading of each process, and no more processes than show a disturbance.
  processes: 2,
  ...rest,
  measure: async () => ({ values: [await measureOnce()] }),
})

export const eventLoop: Suite = {
  name: 'event-loop',
  title: 'The event loop under load',
  about: `${EVENTS.toLocaleString('en')} events through one emitter, ${EVENTS_PER_TURN} by a timer of 1 ms, with and without delay, drop, duplicate and reorder lying over each other (a tenth dropped and duplicated, a fifth reordered, three tenths delayed by 10 ± 5 ms): how late the event loop comes to what is ready, at p99, as \`monitorEventLoopDelay\` has it at a resolution of 1 ms.`,
  cases: [
    loop('no fault: p99', () => p99Ms([])),
    loop('delay, drop, duplicate and reorder: p99', () => p99Ms(OVERLAPPING)),
    loop(
      'delay, drop, duplicate and reorder: p99 beyond that without a fault, in one process',
      async () => {
        const bare = await p99Ms([])
        return (await p99Ms(OVERLAPPING)) - bare
      },
      { bar: { most: 20 } },
    ),
  ],
}
