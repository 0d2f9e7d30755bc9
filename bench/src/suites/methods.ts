import { refuseCalls } from '@chaos/adapter'
import type { InjectOptions } from '@chaos/core'
import { arm } from '../runner/arm.js'
import { comparison, type Bar, type Case, type Suite } from '../runner/case.js'
import type { Comparison } from '../runner/compare.js'
import { ALL_FILTERS } from './filters.js'

interface Kind {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly target: string
  readonly methods: readonly string[]
  /** What the fault is injected into. Default: the target. */
  readonly brokenOf?: (target: object) => object
  readonly bars: { readonly notMatching: Bar; readonly rate0?: Bar }
  /** What the fast check refuses at rate 0. */
  readonly refused: number
}

const [SYNC, ASYNC, CLASS]: readonly [Kind, Kind, Kind] = [
  {
    name: 'sync-call',
    title: 'A synchronous call',
    about: 'A function of a plain object; `refuseCalls` replaces it in place.',
    target: 'sync-call',
    methods: ['read', 'reset'],
    bars: { notMatching: { most: 3, addedNs: 3 } },
    refused: 20,
  },
  {
    name: 'async-call',
    title: 'An asynchronous call',
    about: 'An `async` function of a plain object, awaited; `refuseCalls` replaces it in place.',
    target: 'async-call',
    methods: ['get', 'set'],
    bars: { notMatching: { most: 1.05 }, rate0: { most: 1.1 } },
    refused: 1.4,
  },
  {
    name: 'class-method',
    title: 'An asynchronous method, broken by its class',
    about: 'An `async` method of an instance, awaited; `refuseCalls` replaces it in the prototype.',
    target: 'class-method',
    methods: ['get', 'set', 'remove'],
    brokenOf: (instance) => Object.getPrototypeOf(instance) as object,
    bars: { notMatching: { most: 1.05 }, rate0: { most: 1.1 } },
    refused: 1.4,
  },
]

const suiteOf = ({
  name,
  title,
  about,
  target,
  methods: [called, other],
  brokenOf = (object) => object,
  bars,
  refused,
}: Kind): Suite => {
  const fault = refuseCalls({ methods: [called as string, other as string] })
  const armed = (caseName: string, how: InjectOptions, rest: Pick<Case, 'bar' | 'refused'> = {}): Case => {
    const prepare: Comparison['prepare'] = async (object: object) => {
      await arm(fault, brokenOf(object), how)
      return object
    }
    return comparison(caseName, { target, prepare }, rest)
  }
  return {
    name,
    title,
    about,
    cases: [
      armed('armed for another method, by its exact name', { only: other as string }, { bar: bars.notMatching }),
      armed('armed for other methods, by a glob', { only: `${other as string}*` }, { bar: bars.notMatching }),
      armed('armed, a predicate says no', { only: () => false }),
      armed('armed at rate 0', { rate: 0 }, { ...(bars.rate0 === undefined ? {} : { bar: bars.rate0 }), refused }),
      armed('armed with every filter', { ...ALL_FILTERS, only: [called as string, 'other*'] }),
    ],
  }
}

export const methodSuites: readonly Suite[] = [suiteOf(SYNC), suiteOf(ASYNC), suiteOf(CLASS)]
