import { type FaultInfo } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { describe, expect, it } from 'vitest'
import { findFault } from './find-fault.js'
import { Command } from 'commander'
import { addFaultOptions, faultOptions } from './fault-options.js'

/** More choices than anyone reads in an error message. */
const PRESETS = Array.from({ length: 50 }, (_, index) => `preset/${index}-of-many`) as [string, ...string[]]

const fault = (name: string): FaultInfo =>
  defineFault({
    name,
    kind: 'standing',
    summary: 'Slows down.',
    target: { expects: 'anything', accepts: () => true },
    inject: () => undefined,
    options: {
      delayMs: option.durationMs('How long.'),
      order: option.optional(option.oneOf(['keep', 'free'], 'Order.'), 'keep'),
      methods: option.optional(option.names('Which.')),
      count: option.optional(option.count('How often.')),
      isLoud: option.optional(option.flag('Say so.')),
      error: option.optional(option.oneOf([...PRESETS], 'Which.')),
      noAck: option.optional(option.flag('Whether it is lost.')),
    },
  }).catalog.info
const slow = fault('test/slow-down')
/** No flag of the command's own. */
const none: ReadonlySet<string> = new Set()

/** What a command that takes `--order` itself, or nothing, makes of arguments. */
function read(args: readonly string[], own: readonly string[] = []): unknown {
  const said: string[] = []
  const command = new Command('inject').exitOverride().configureOutput({ writeErr: (text) => said.push(text) })
  for (const flag of own) command.option(flag)
  const options = addFaultOptions(command, slow, args)
  try {
    command.allowExcessArguments(false).parse(args, { from: 'user' })
    return options()
  } catch {
    return said.join('')
  }
}

describe('options of a fault', () => {
  it('are made from the schema', () => {
    expect(faultOptions(slow, none).map(({ shown, isRequired }) => [shown.flags, isRequired])).toEqual([
      ['--delay-ms <time>', true],
      ['--order <keep|free>', false],
      ['--methods <name...>', false],
      ['--count <integer>', false],
      ['--is-loud [true|false]', false],
      ['--error <choice>', false],
      ['--with-no-ack [true|false]', false],
    ])
    expect(faultOptions(slow, none)[1]?.shown.description).toBe('Order. (default: "keep")')
  })

  it('say a default once, whatever it ends with', () => {
    const described = (description: string, fallback: unknown): string | undefined =>
      faultOptions(
        { ...slow, options: { properties: { a: { type: 'string', description, default: fallback } } } },
        none,
      )[0]?.shown.description
    expect(described('How far it spreads. Default: 0.', 0)).toBe('How far it spreads. Default: 0.')
    expect(described('The message.', 'The listener failed.')).toBe('The message. (default: "The listener failed.")')
  })

  it('are read: times, words, lists, numbers, switches', () => {
    expect(
      read([
        '--delay-ms',
        '2s',
        '--order=free',
        '--methods',
        'get,set',
        '--methods',
        'del',
        '--count',
        '3',
        '--is-loud',
      ]),
    ).toEqual({ delayMs: 2_000, order: 'free', methods: ['get', 'set', 'del'], count: 3, isLoud: true })
    expect(read(['--delay-ms', '5', '--methods', 'set', 'del', '--count', '1'])).toEqual({
      delayMs: 5,
      methods: ['set', 'del'],
      count: 1,
    })
    expect(read(['--delayMs', '5', '--no-is-loud'])).toEqual({ delayMs: 5, isLoud: false })
    expect(read(['--delay-ms', '5', '--is-loud=false', '--with-no-ack'])).toEqual({
      delayMs: 5,
      isLoud: false,
      noAck: true,
    })
  })

  it('keep out of the way of those that the command has itself', () => {
    const taken = ['--order <own>', '--is-loud']
    expect(faultOptions(slow, new Set(['--order', '--is-loud'])).map(({ shown }) => shown.long)).toEqual([
      '--delay-ms',
      '--with-order',
      '--methods',
      '--count',
      '--with-is-loud',
      '--error',
      '--with-no-ack',
    ])
    expect(read(['--with-delay-ms', '5', '--with-order', 'free', '--no-with-is-loud', '--order', 'x'], taken)).toEqual({
      delayMs: 5,
      order: 'free',
      isLoud: false,
    })
  })

  it.each([
    [['--dealy-ms', '5'], '(Did you mean --delay-ms?)'],
    [['--delay-ms'], "option '--delay-ms <time>' argument missing"],
    [['--delay-ms', '--order'], 'Expected a time such as 500ms, 10s or 2m.'],
    [['--delay-ms', 'soon'], 'Expected a time such as 500ms, 10s or 2m.'],
    [['--delay-ms', '5', '--count', 'many'], "'--count <integer>' argument 'many' is invalid. Expected a number."],
    [['--delay-ms', '5', '--is-loud=maybe'], 'Expected one of `true`, `false`.'],
    [['--delay-ms', '5', '--order', 'fre'], 'Did you mean "free"?'],
    [
      ['--delay-ms', '5', '--error', 'preset/7-fo-many'],
      `'preset/7-fo-many' is invalid. Did you mean "preset/7-of-many"?\n`,
    ],
    [
      ['--delay-ms', '5', '--error', 'unlike anything'],
      "'unlike anything' is invalid. Run the command with `--help` to list the choices.\n",
    ],
    [['--order', 'keep'], "required option '--delay-ms <time>' not specified. How long."],
    [['--delay-ms', '5', 'stray'], 'too many arguments'],
  ])('refuse %j', (given, words) => {
    expect(read(given)).toContain(words)
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
    ['bus', 'slow', 'begin with "slow": `slow-down`, `slow-up`'],
    ['bus', 'slwo-down', 'Did you mean "slow-down"?'],
    ['bus', 'elsewhere', 'Unknown fault "elsewhere" of target "bus"'],
    ['bsu', 'slow-down', 'Did you mean "bus"?'],
  ])('refuses %s %s', async (target, given, words) => {
    await expect(findFault(process, target, given)).rejects.toThrow(words)
  })
})
