import type { InjectOptions } from '@chaos/core'
import { refuseCalls } from '@chaos/adapter'
import { delayEvents, dropEvents } from '@chaos/eventbus'
import { arm } from '../runner/arm.js'
import { comparison, type Bar, type Case, type Suite } from '../runner/case.js'
import type { Client } from '../targets/async-call.js'
import { use, type Crowd } from '../targets/crowd.js'

const delay = delayEvents({ delayMs: 1_000 })
const drop = dropEvents()

/** The faults of a crowd, in turn. */
const FAULTS: readonly { readonly name: string; readonly fault: typeof delay; readonly how: InjectOptions }[] = [
  { name: 'taken back', fault: drop, how: { rate: 0 } },
  { name: 'armed for another event', fault: delay, how: { only: 'other' } },
  { name: 'armed for other events, by a glob', fault: delay, how: { only: 'other:*' } },
  { name: '`delayEvents` at rate 0', fault: delay, how: { rate: 0 } },
  { name: '`dropEvents` at rate 0', fault: drop, how: { rate: 0 } },
]
const TAKEN_BACK = 0
/** Calls of each bus before the measurement, so that all of them have shaped the shared code. */
const WARM_UP = 20_000

async function armed(crowd: Crowd): Promise<Crowd> {
  const { buses, isMixed } = crowd
  for (const [index, bus] of buses.entries()) {
    const { fault, how } = FAULTS[index % FAULTS.length] as (typeof FAULTS)[number]
    const injection = await arm(fault, bus, how)
    if (index % FAULTS.length === TAKEN_BACK) await injection.rollback()
  }
  for (let index = 0; index < buses.length; index += 3) {
    const run = use({ buses, driven: buses.slice(index, index + 3), isMixed })
    for (let call = 0; call < WARM_UP; call += 1) run(call)
  }
  return crowd
}

const crowdOf = (name: string, title: string, about: string, first: number, bars: readonly [Bar, Bar]): Suite => ({
  name,
  title,
  about,
  cases: FAULTS.map(({ name: caseName }, mode): Case => {
    const bar = [{ most: 1.1 }, bars[0], bars[0], bars[1], bars[1]][mode] as Bar
    return comparison(
      caseName,
      { target: 'crowd', parameter: first + mode, prepare: armed },
      // Twice the added time of the bar is no noise.
      { bar, refused: 1 + 2 * (bar.most - 1) + 0.2, everyNode: true },
    )
  }),
})

const stacked: Suite = {
  name: 'stacked',
  title: 'An asynchronous call under four faults',
  about: 'Four times `refuseCalls` over each other on one function of a plain object, awaited.',
  cases: [
    comparison(
      'all at rate 0',
      {
        target: 'async-call',
        prepare: async (client: Client) => {
          for (let index = 0; index < 4; index += 1) await arm(refuseCalls({ methods: ['get'] }), client, { rate: 0 })
          return client
        },
      },
      { bar: { most: 1.8 }, refused: 2.6, everyNode: true },
    ),
  ],
}

/** Many targets in one process, each with a fault of its own: shared code is then no longer made for one of them. */
export const crowdSuites: readonly Suite[] = [
  crowdOf(
    'crowd',
    '`emit` in a crowd of fifteen buses',
    'Fifteen `EventEmitter`s in one process, each with a fault of its own; `emit` on the three that have the same fault, one after the other. Times are those of all three.',
    0,
    [{ most: 1.3 }, { most: 2 }],
  ),
  crowdOf(
    'crowd-mixed',
    '`emit` in a crowd of fifteen buses of four classes',
    'As before; the buses are of four classes, one of which overrides `emit`, and take no, one or three arguments.',
    10,
    [{ most: 1.6 }, { most: 2.5 }],
  ),
  stacked,
]
