import type { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { delayEvents } from '@chaos/eventbus'
import { arm } from '../runner/arm.js'
import { comparison, type Bar, type Case, type Suite } from '../runner/case.js'
import type { TargetModule } from '../runner/compare.js'
import { loadCopy } from '../runner/load-copy.js'

const bar: Bar = { most: 1.03 }
const rest = { bar, everyNode: true } as const
const checked = { bar, refused: 1.25, everyNode: true } as const
const delay = delayEvents({ delayMs: 1_000 })

/** Breaks several methods by two faults, lets the app add a key of its own meanwhile, and takes the faults back in the order in which they came. */
async function breakAndMend(store: object): Promise<object> {
  const first = await arm(refuseCalls({ methods: ['get', 'set'] }), store)
  const second = await arm(refuseCalls({ methods: ['get', 'remove'] }), store)
  Object.assign(store, { addedMeanwhile: true })
  await first.rollback()
  await second.rollback()
  return store
}

/** What of an object can be seen, and what cannot. */
interface Portrait {
  /** Identity of its members, own keys, prototypes, descriptors. */
  readonly parts: readonly unknown[]
  /** Whether each object of its prototype chain has fast properties. V8 makes a prototype fast when it is first used as one. */
  readonly fast: readonly boolean[]
}

function portraitOf(object: object, hasFastProperties: (object: object) => boolean): Portrait {
  const parts: unknown[] = []
  const fast: boolean[] = []
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    parts.push(holder)
    fast.push(hasFastProperties(holder))
    for (const key of Reflect.ownKeys(holder))
      parts.push(key, ...Object.values({ ...Object.getOwnPropertyDescriptor(holder, key) } as Record<string, unknown>))
  }
  return { parts, fast }
}

function differencesOf(before: Portrait, after: Portrait): number {
  const changed = after.parts.filter((value, index) => !Object.is(value, before.parts[index])).length
  const slowed = before.fast.filter((wasFast, index) => wasFast && after.fast[index] !== true).length
  return Math.abs(after.parts.length - before.parts.length) + changed + slowed
}

const differences: Case = {
  name: 'what differs in a target after a rollback: functions, keys, descriptors, prototypes, fast properties',
  unit: 'differences',
  bar: { most: 0 },
  refused: 0,
  everyNode: true,
  async measure(rounds) {
    const { setFlagsFromString } = await import('node:v8')
    setFlagsFromString('--allow-natives-syntax')
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- natives syntax exists only in code compiled after the flag
    const hasFastProperties = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean
    const { make } = (await loadCopy('targets/class-method', 'subject')) as TargetModule<object>
    const values: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const store = Object.assign(await make(1), { addedMeanwhile: false })
      const before = portraitOf(store, hasFastProperties)
      const added = Object.assign(await breakAndMend(store), { addedMeanwhile: false })
      const after = portraitOf(added, hasFastProperties)
      values.push(differencesOf(before, after))
    }
    return { values }
  },
}

export const atRest: Suite = {
  name: 'at-rest',
  title: 'At rest',
  about:
    'Nothing is in force. The first line compares the bare call with itself: what it shows besides 1.00 is the noise of this run.',
  cases: [
    comparison('no fault was ever armed (a synchronous call)', { target: 'sync-call' }, rest),
    comparison('no fault was ever armed (`emit`, 1 listener)', { target: 'emitter' }, rest),
    comparison(
      'after a rollback: a synchronous call',
      {
        target: 'sync-call',
        prepare: async (meter: object) => {
          await (await arm(refuseCalls({ methods: 'read' }), meter)).rollback()
          return meter
        },
      },
      checked,
    ),
    comparison(
      'after a rollback: an asynchronous call',
      {
        target: 'async-call',
        prepare: async (client: object) => {
          await (await arm(refuseCalls({ methods: 'get' }), client)).rollback()
          return client
        },
      },
      rest,
    ),
    comparison(
      'after a rollback: several methods patched, a key added by the app meanwhile',
      { target: 'class-method', prepare: breakAndMend },
      checked,
    ),
    comparison(
      'after a rollback: `emit`, 1 listener',
      {
        target: 'emitter',
        prepare: async (bus: EventEmitter) => {
          await (await arm(delay, bus)).rollback()
          return bus
        },
      },
      checked,
    ),
    differences,
  ],
}
