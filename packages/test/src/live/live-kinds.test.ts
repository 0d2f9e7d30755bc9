import type { FaultInfo } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { chooseKinds } from './live-kinds.js'

const fault = (
  name: string,
  kind: 'standing' | 'instant' = 'standing',
  required: readonly string[] = [],
): FaultInfo => ({
  ...{ name, kind, summary: '' },
  options: { type: 'object', properties: {}, required },
})
const faults = [
  fault('adapter/refuse-calls'),
  fault('adapter/delay-calls', 'standing', ['delayMs']),
  fault('worker/terminate', 'instant'),
]
const targets = [
  { name: 'db', faults: ['adapter/refuse-calls', 'adapter/delay-calls'] },
  { name: 'pool', faults: ['adapter/refuse-calls', 'worker/terminate'] },
]
const choose = (asked: readonly string[], within: readonly string[] = []) =>
  chooseKinds(targets, faults, { targets: within, faults: asked })

describe('the kinds of faults of a live app', () => {
  it('are all standing faults that need no options, and the others are listed', () => {
    const { kinds, leftOut } = choose([])
    expect(kinds.map(({ target, name }) => [target, name])).toEqual([
      ['db', 'adapter/refuse-calls'],
      ['pool', 'adapter/refuse-calls'],
    ])
    expect(leftOut).toEqual([
      'db: adapter/delay-calls, since it needs options: delayMs',
      'pool: worker/terminate, since it happens at once, and not at a call',
    ])
  })

  it('can be chosen, with options, of one target or of all', () => {
    expect(choose(['refuse-calls']).kinds).toHaveLength(2)
    expect(choose(['db:adapter/refuse-calls']).kinds).toHaveLength(1)
    expect(choose(['refuse-calls'], ['pool']).kinds).toMatchObject([{ target: 'pool' }])
    expect(choose(['delay-calls={"delayMs":5}', 'db:delay-calls={"delayMs":9}']).kinds).toEqual([
      {
        target: 'db',
        name: 'adapter/delay-calls {"delayMs":5}',
        fault: 'adapter/delay-calls',
        options: { delayMs: 5 },
      },
      {
        target: 'db',
        name: 'adapter/delay-calls {"delayMs":9}',
        fault: 'adapter/delay-calls',
        options: { delayMs: 9 },
      },
    ])
  })

  it('are refused if they are unknown, or cannot be tried at a call', () => {
    expect(() => choose(['refuse-cals'])).toThrow('Did you mean "refuse-calls"?')
    expect(() => choose([], ['bd'])).toThrow('Did you mean "db"?')
    expect(() => choose(['terminate'])).toThrow('happens at once')
    expect(() => choose(['delay-calls=5'])).toThrow('to be a JSON object')
    expect(() => chooseKinds([], [], { targets: [], faults: [] })).toThrow('offers no standing fault')
  })
})
