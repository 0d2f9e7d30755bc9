import { EventEmitter } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { refuseCalls } from '@chaos/adapter'
import { inject } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import type { Case, Suite } from '../runner/case.js'

const CALLS = 1_000_000
/** What a collected heap wavers by from one look to the next, in KiB, whatever was called in between. */
const NOISE_KIB = 64
/** Compiling and forgetting code moves a heap by some 100 KiB now and then, in either direction: what is kept for calls is there each time. */
const LOOKS = 5

/** What a collected heap holds. */
async function heldKib(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let time = 0; time < 4; time += 1) {
    collect()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed / 1024
}

/** How much more a collected heap holds after so many calls, in KiB. The first million fills caches and compiles code; the next ones must add nothing. */
const growth = (
  name: string,
  calls: () => Promise<(times: number) => Promise<void>>,
  rest: Partial<Case> = {},
): Case => ({
  name,
  unit: 'KiB',
  bar: { most: NOISE_KIB },
  processes: 1,
  ...rest,
  async measure() {
    const run = await calls()
    await run(CALLS)
    const held = [await heldKib()]
    for (let look = 0; look < LOOKS; look += 1) {
      await run(CALLS)
      held.push(await heldKib())
    }
    return { values: held.slice(1).map((kib, look) => kib - (held[look] as number)) }
  },
})

const NAMES = 300_000

/** What a collected heap holds more for so many names of operations inside one injection's blast radius. */
const names: Case = {
  name: `${NAMES.toLocaleString('en')} events, each of a name of its own, fault armed for all of them: held in all`,
  unit: 'KiB',
  bar: { most: 4_096 },
  processes: 1,
  refused: 8_192,
  async measure(rounds) {
    const values: number[] = []
    for (let round = 0; round < Math.min(rounds, 3); round += 1) {
      const bus = new EventEmitter()
      await inject(delayEvents({ delayMs: 1 }), bus, { rate: 0, leaseMs: 600_000 })
      bus.emit('warm-up')
      const before = await heldKib()
      for (let name = 0; name < NAMES; name += 1) bus.emit(`tick:${round}:${name}`)
      values.push((await heldKib()) - before)
    }
    return { values }
  },
}

const COUNTED = CALLS.toLocaleString('en')

export const memory: Suite = {
  name: 'memory',
  title: 'Memory',
  about: `What a collected heap holds more after ${COUNTED} further calls. Each reading is one of ${LOOKS} looks. The bar is 0; up to ${NOISE_KIB} KiB is what such a heap wavers by.`,
  cases: [
    growth(
      `${COUNTED} calls of an asynchronous method, fault armed, none affected`,
      async () => {
        const store = { get: async (key: number) => Promise.resolve(key) }
        await inject(refuseCalls(), store, { rate: 0, leaseMs: 600_000 })
        return async (times) => {
          for (let time = 0; time < times; time += 1) await store.get(time)
        }
      },
      { refused: NOISE_KIB * 8 },
    ),
    growth(`${COUNTED} events, fault armed for other names`, async () => {
      const bus = new EventEmitter().on('tick', () => undefined)
      await inject(delayEvents({ delayMs: 1 }), bus, { only: 'other:*', leaseMs: 600_000 })
      return (times) => {
        for (let time = 0; time < times; time += 1) bus.emit('tick', time)
        return Promise.resolve()
      }
    }),
    growth(`${COUNTED} events, each of a name of its own, fault armed for other names`, async () => {
      const bus = new EventEmitter().on('tick', () => undefined)
      await inject(delayEvents({ delayMs: 1 }), bus, { only: 'other:*', leaseMs: 600_000 })
      let made = 0
      return (times) => {
        for (let time = 0; time < times; time += 1) bus.emit(`tick:${(made += 1)}`, time)
        return Promise.resolve()
      }
    }),
    growth(`${COUNTED} calls of an asynchronous method, half of them affected`, async () => {
      const store = { get: async (key: number) => Promise.resolve(key) }
      await inject(refuseCalls(), store, { rate: 0.5, leaseMs: 600_000 })
      return async (times) => {
        for (let time = 0; time < times; time += 1) await store.get(time).catch(() => undefined)
      }
    }),
    names,
  ],
}
