import { refuseCalls } from '@chaos/adapter'
import { inject, withScope, type InjectOptions } from '@chaos/core'
import { needScopes } from '@chaos/core/authoring'
import { arm } from '../runner/arm.js'
import { comparison, type Case, type Suite } from '../runner/case.js'
import { median } from '../runner/statistics.js'
import { chosenRequestCases } from './chosen-requests.js'

const US_PER_MS = 1_000
const refuse = refuseCalls({ methods: ['get', 'set'] })

interface Store {
  readonly get: (key: unknown) => Promise<unknown>
  readonly set: (key: unknown) => Promise<unknown>
}

const emptyStore = (): Store => ({ get: (key) => Promise.resolve(key), set: (key) => Promise.resolve(key) })

/** A fault, and work in a scope meanwhile. Node.js before 24 follows promises from the first scope on that is entered. */
async function breakAndEnter(how: InjectOptions): Promise<() => Promise<void>> {
  const injection = await inject(refuse, emptyStore(), how)
  await withScope('a test', () => Promise.resolve())
  return async () => {
    await injection.rollback()
  }
}

const breakOneScope = (): Promise<() => Promise<void>> => breakAndEnter({ scope: 'another test' })

const AWAITS = 2_000
const SLICES = 15
const WARM_UPS = 20

/** The time of an await, in ns. */
async function awaitNs(): Promise<number> {
  const spent: number[] = []
  for (let slice = 0; slice < SLICES; slice += 1) {
    const start = performance.now()
    let last: unknown = 0
    for (let index = 0; index < AWAITS; index += 1) last = await last
    spent.push(((performance.now() - start) * US_PER_MS * US_PER_MS) / AWAITS)
  }
  return median(spent)
}

/** What an await takes after scopes were needed, to what it took before: in one process, in which they never were before. */
const afterTheLast: Case = {
  name: 'an `await`, after the last scope has ended',
  unit: 'ratio',
  bar: { most: 1.02 },
  refused: 1.25,
  everyNode: true,
  async measure(rounds) {
    /** An await after a fault has come and gone, so that both halves differ in the scope alone. */
    const afterFault = async (how: InjectOptions): Promise<number> => {
      const leave = await breakAndEnter(how)
      await leave()
      return awaitNs()
    }
    const before: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      const ns = await afterFault({})
      if (round >= 0) before.push(ns)
    }
    const after: number[] = []
    for (let round = -WARM_UPS; round < rounds; round += 1) {
      const ns = await afterFault({ scope: 'another test' })
      if (round >= 0) after.push(ns)
    }
    return { values: after.map((ns) => ns / median(before)) }
  },
}

const TESTS = 200

/** What a test takes more: its scope, and a fault that is injected for it. */
const perTest = (name: string, rest: Pick<Case, 'bar'>, work: (store: Store) => Promise<unknown>): Case => ({
  name,
  unit: 'µs',
  ...rest,
  everyNode: true,
  async measure(rounds) {
    const store = emptyStore()
    // As in a run of tests, scopes are needed from the first to the last.
    const leave = needScopes()
    const values: number[] = []
    for (let round = -2; round < rounds; round += 1) {
      const start = performance.now()
      for (let test = 0; test < TESTS; test += 1) await withScope(`test ${test}`, () => work(store))
      if (round >= 0) values.push(((performance.now() - start) * US_PER_MS) / TESTS)
    }
    leave()
    return { values }
  },
})

/** A call of a target on which faults with these options are in force. */
const decided = (name: string, how: readonly InjectOptions[]): Case =>
  comparison(name, {
    target: 'async-call',
    prepare: async (store: object) => {
      for (const one of how) await arm(refuse, store, one)
      return store
    },
  })

export const scopesSuite: Suite = {
  name: 'scopes',
  title: 'Scopes',
  about:
    'Scopes are carried while a fault, a test or a search needs them. Before Node.js 24, each `await` of the process then costs more; before the first need and after the last it must cost what it costs without chaos.',
  cases: [
    comparison('an `await`, scopes never needed', { target: 'plain-await' }, { bar: { most: 1.02 }, everyNode: true }),
    afterTheLast,
    comparison(
      'an `await`, a fault for a scope in force',
      { target: 'plain-await', around: breakOneScope },
      { everyNode: true },
    ),
    perTest('a scope for a test', {}, () => Promise.resolve()),
    perTest('a scope for a test, and a fault for it', { bar: { most: 1_000 } }, async (store) => {
      const injection = await inject(refuse, store, { scope: 'any test' })
      await injection.rollback()
    }),
    decided('an asynchronous call, a fault at rate 0', [{ rate: 0 }]),
    decided('an asynchronous call, a fault for another scope', [{ scope: 'another test' }]),
    decided('an asynchronous call, an observer of all calls', [{ rate: 0, onSeen: () => undefined }]),
    decided(
      'an asynchronous call, faults for 100 other scopes',
      Array.from({ length: 100 }, (_, test) => ({ scope: `test ${test}` })),
    ),
    ...chosenRequestCases,
  ],
}
