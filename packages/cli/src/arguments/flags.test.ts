import { defineFault, option, optionsSchema, type FaultInfo } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { findFault } from './find-fault.js'
import { flagsOf, readFlags } from './flags.js'

const fault = (name: string): FaultInfo =>
  defineFault({
    name,
    kind: 'standing',
    summary: 'Slows down.',
    expects: 'anything',
    accepts: () => true,
    inject: () => undefined,
    schema: optionsSchema({
      delayMs: option.durationMs('How long.'),
      order: option.optional(option.oneOf(['keep', 'free'], 'Order.'), 'keep'),
      methods: option.optional(option.names('Which.')),
      count: option.optional(option.count('How often.')),
      isLoud: option.optional(option.flag('Say so.')),
    }),
  }).catalog.info
const slow = fault('test/slow-down')
/** No flag of the command's own. */
const none: ReadonlySet<string> = new Set()

describe('flags', () => {
  it('are made from the schema', () => {
    expect(flagsOf(slow, none).map(({ flag, value, isRequired }) => [flag, value, isRequired])).toEqual([
      ['--delay-ms', '<time>', true],
      ['--order', '<keep|free>', false],
      ['--methods', '<name...>', false],
      ['--count', '<integer>', false],
      ['--is-loud', '', false],
    ])
    expect(flagsOf(slow, none)[1]?.description).toBe('Order. Default keep.')
  })

  it('are read into options: times, words, lists, numbers, switches', () => {
    expect(
      readFlags(
        slow,
        ['--delay-ms', '2s', '--order=free', '--methods', 'get,set', '--methods', 'del', '--count', '3', '--is-loud'],
        none,
      ),
    ).toEqual({ delayMs: 2_000, order: 'free', methods: ['get', 'set', 'del'], count: 3, isLoud: true })
    expect(readFlags(slow, ['--delayMs', '5', '--no-is-loud'], none)).toEqual({ delayMs: 5, isLoud: false })
    expect(readFlags(slow, ['--delay-ms', '5', '--is-loud=false'], none)).toEqual({ delayMs: 5, isLoud: false })
  })

  it('keep out of the way of those that the command has itself', () => {
    const taken = new Set(['--order', '--is-loud'])
    expect(flagsOf(slow, taken).map(({ flag }) => flag)).toEqual([
      '--delay-ms',
      '--with-order',
      '--methods',
      '--count',
      '--with-is-loud',
    ])
    expect(readFlags(slow, ['--with-delay-ms', '5', '--with-order', 'free', '--no-with-is-loud'], taken)).toEqual({
      delayMs: 5,
      order: 'free',
      isLoud: false,
    })
  })

  it.each([
    [['--dealy-ms', '5'], 'Did you mean `--delay-ms`?'],
    [['--delay-ms'], 'Expected a value behind --delay-ms'],
    [['--delay-ms', '--order'], 'Expected a value behind --delay-ms'],
    [['--delay-ms', 'soon'], 'Expected a time span'],
    [['--delay-ms', '5', '--count', 'many'], 'Expected a number behind --count'],
    [['--delay-ms', '5', '--is-loud=maybe'], 'Expected true or false'],
    [['--order', 'keep'], 'Expected --delay-ms <time> of test/slow-down, got none. How long.'],
    [['stray'], 'got `stray`'],
  ])('refuse %j', (given, words) => {
    expect(() => readFlags(slow, given, none)).toThrow(words)
  })
})

describe('findFault', () => {
  const process = {
    targets: () => Promise.resolve([{ name: 'bus', faults: ['test/slow-down', 'test/slow-up', 'test/drop-all'] }]),
    faults: () => Promise.resolve([slow, fault('test/slow-up'), fault('test/drop-all'), fault('test/elsewhere')]),
  }

  it.each([
    ['test/slow-down', 'test/slow-down'],
    ['slow-down', 'test/slow-down'],
    ['drop', 'test/drop-all'],
  ])('finds %s as %s', async (given, name) => {
    expect((await findFault(process, 'bus', given)).name).toBe(name)
  })

  it.each([
    ['bus', 'slow', 'begins several: `slow-down`, `slow-up`'],
    ['bus', 'slwo-down', 'Did you mean `slow-down`?'],
    ['bus', 'elsewhere', 'Expected a fault of `bus`'],
    ['bsu', 'slow-down', 'Did you mean `bus`?'],
  ])('refuses %s %s', async (target, given, words) => {
    await expect(findFault(process, target, given)).rejects.toThrow(words)
  })
})
