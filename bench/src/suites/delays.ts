import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { delayEvents } from '@chaos/eventbus'
import type { Case, Suite } from '../runner/case.js'
import { quantile } from '../runner/statistics.js'

/** Delays of one reading. */
const SAMPLES = 50

/** How late so many delays of a length end, in ms, started a little apart; negative is early. */
async function latenesses(delayMs: number, start: (done: () => void) => void): Promise<number[]> {
  return Promise.all(
    Array.from({ length: SAMPLES }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index))
      const from = performance.now()
      await new Promise<void>((resolve) => start(resolve))
      return performance.now() - from - delayMs
    }),
  )
}

async function ofFault(delayMs: number): Promise<number[]> {
  const bus = new EventEmitter()
  bus.on('due', (done: () => void) => done())
  const injection = await inject(delayEvents({ delayMs, order: 'free' }), bus)
  const late = await latenesses(delayMs, (done) => void bus.emit('due', done))
  await injection.rollback()
  return late
}
const ofTimer = (delayMs: number): Promise<number[]> => latenesses(delayMs, (done) => void setTimeout(done, delayMs))

const DELAYS = [1, 5, 20, 100, 1_000] as const
/** A delay of a second needs no more readings than this from one process. */
const MAX_ROUNDS = 5

const late = (
  name: string,
  delayMs: number,
  share: number,
  measureOnce: (delayMs: number) => Promise<number[]>,
): Case => ({
  name: `${name}, ${delayMs.toLocaleString('en')} ms: late at p${share * 100}`,
  unit: 'ms',
  async measure(rounds) {
    const values: number[] = []
    for (let round = 0; round < Math.min(rounds, MAX_ROUNDS); round += 1)
      values.push(quantile(await measureOnce(delayMs), share))
    return { values }
  },
})

const neverEarly: Case = {
  name: 'delays that end before their time, of all lengths',
  unit: 'count',
  bar: { most: 0 },
  refused: 0,
  async measure(rounds) {
    const values: number[] = []
    for (let round = 0; round < Math.min(rounds, MAX_ROUNDS); round += 1) {
      const all = await Promise.all(DELAYS.slice(0, -1).map(ofFault))
      // Less than a microsecond is rounding of the clock.
      values.push(all.flat().filter((lateness) => lateness < -0.001).length)
    }
    return { values }
  },
}

export const delays: Suite = {
  name: 'delays',
  title: 'Delays',
  about: `How late a held event is delivered, beside a bare \`setTimeout\` of the same length; ${SAMPLES} delays in flight together.`,
  cases: [
    neverEarly,
    ...DELAYS.flatMap((delayMs) =>
      [0.5, 0.99].flatMap((share) => [
        late('`delayEvents`', delayMs, share, ofFault),
        late('bare `setTimeout`', delayMs, share, ofTimer),
      ]),
    ),
  ],
}
