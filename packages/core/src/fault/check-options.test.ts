import { describe, expect, it } from 'vitest'
import { defineFault } from './define-fault.js'
import { ChaosError } from '../basics/errors.js'
import { checkOptions } from './check-options.js'
import { option } from './option.js'
import { optionsSchema } from './options-schema.js'

const options = {
  delayMs: option.durationMs('How long.'),
  order: option.optional(option.oneOf(['keep', 'free'], 'Order.'), 'keep'),
  tags: option.optional(option.list(option.text('A tag.'), 10, 'tags')),
  makeError: option.optional(option.func<() => Error>('Makes the error.')),
}

const schema = optionsSchema(options)

describe('checkOptions', () => {
  it('fills in defaults, drops what is undefined, and freezes deeply', () => {
    const options = checkOptions(schema, { delayMs: 5, order: undefined, tags: ['a'] }, 'x/y')
    expect(options).toEqual({ delayMs: 5, order: 'keep', tags: ['a'] })
    expect(Object.isFrozen(options) && Object.isFrozen(options.tags)).toBe(true)
  })

  it.each([
    [{}, 'Expected `delayMs` of x/y to be'],
    [{ delayMs: -1 }, 'Expected `delayMs` of x/y to be a number of ms from 0 to 2147483647, got `-1`.'],
    [{ delayMs: Infinity }, 'got `Infinity`'],
    [{ delayMs: 5, order: 'kep' }, 'Expected `order` of x/y to be one of `keep`, `free`, got `"kep"`.'],
    [{ delayMs: 5, tags: ['a', ''] }, 'Expected `tags.1` of x/y to be a non-empty string, got `""`.'],
    [{ delayMs: 5, ordre: 'keep' }, 'Unknown option "ordre" of x/y. Did you mean "order"?'],
    ['fast', 'Expected the options of x/y to be an object, got `"fast"`.'],
    [null, 'to be an object'],
    [{ delayMs: 5, makeError: 'E' }, 'Expected `makeError` of x/y to be a function'],
  ])('refuses %o', (given, message) => {
    expect(() => checkOptions(schema, given, 'x/y')).toThrow(message)
  })
})

describe('the details of a refusal', () => {
  it.each([
    [{ delayMs: -1 }, { field: '/delayMs', expected: 'a number of ms from 0 to 2147483647' }],
    [
      { delayMs: 5, tags: ['a', ''] },
      { field: '/tags/1', expected: 'a non-empty string' },
    ],
    [
      { delayMs: 5, 'a/b~c': 1 },
      { field: '/a~1b~0c', expected: 'one of `delayMs`, `order`, `tags`, `makeError`' },
    ],
    ['fast', { field: '', expected: 'an object' }],
  ])('name the option of %j and what was expected', (given, details) => {
    expect(() => checkOptions(schema, given, 'x/y')).toThrow(
      expect.objectContaining({ details: { of: 'x/y', ...details } }),
    )
  })
})

it('shows no value that looks like a credential', () => {
  const secret = optionsSchema({
    password: option.optional(option.oneOf(['a'], 'A.')),
    url: option.optional(option.oneOf(['b'], 'B.')),
  })
  expect(() => checkOptions(secret, { password: 'hunter2' }, 'x/y')).toThrow(/got `"\[redacted\]"`/)
  expect(() => checkOptions(secret, { url: 'redis://u:hunter2@db' }, 'x/y')).toThrow(/u:\[redacted\]@db/)
})

describe('options from outside are bounded when they are checked', () => {
  const wide = optionsSchema({
    only: option.optional(option.names('Which.')),
    where: option.optional(option.fields('Where.')),
    value: option.optional(option.value('Anything.')),
    text: option.optional(option.text('A text.')),
    copies: option.optional(option.count('How many.', 1, 10)),
    scalar: option.optional(option.scalar('One value.')),
  })
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
  const cyclic: unknown[] = []
  cyclic.push(cyclic)

  it.each([
    ['names', { only: Array.from({ length: 101 }, () => 'a') }, 'at most 100, 1024 characters each, 4096 together'],
    ['a long glob', { only: '*a'.repeat(2_680) }, '4096 together'],
    ['a long name in a list', { only: ['a', 'a'.repeat(1_025)] }, '1024 characters each'],
    ['globs that are long together', { only: Array.from({ length: 5 }, () => '*a'.repeat(500)) }, '4096 together'],
    [
      'fields',
      { where: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${n}`, n])) },
      'at most 100 values by field path',
    ],
    ['a long path', { where: { ['a.'.repeat(600)]: 1 } }, 'values by field path'],
    ['a long text', { text: 'a'.repeat(65_537) }, 'a string of at most 65536 characters'],
    ['a long scalar', { scalar: 'a'.repeat(65_537) }, 'a string, a number'],
    ['a number of times', { copies: 11 }, 'a whole number from 1 to 10, got `11`'],
    ['a number that is no safe integer', { copies: 1e300 }, 'a whole number'],
    ['deep values', { value: nested(65) }, 'more than 64 levels'],
    ['deeper values than a stack holds', { value: nested(50_000) }, 'more than 64 levels'],
    ['a value that holds itself', { value: cyclic }, 'more than 64 levels'],
    ['many values', { value: Array.from({ length: 100_001 }, () => 0) }, 'more than 100000 values'],
    ['long texts', { value: Array.from({ length: 5 }, () => 'a'.repeat(1_000_000)) }, 'more than 4194304 characters'],
    ['a control character in a name', { 'a\u001b[2J': 1 }, 'Unknown option "a\\u001b[2J"'],
    ['an endless name', { ['a'.repeat(10_000)]: 1 }, `Unknown option "${'a'.repeat(200)}…"`],
  ])('refuses too much of it: %s', (_what, given, words) => {
    const refuse = (): unknown => checkOptions(wide, given, 'x/y')
    expect(refuse).toThrow(
      expect.objectContaining({ code: 'CHAOS_INVALID_OPTION', message: expect.stringContaining(words) as string }),
    )
    expect(refuse).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/.{2000}/) as string }))
  })

  it('accepts options within the bounds', () => {
    const given = {
      only: Array.from({ length: 100 }, (_, n) => `*name${n}*`),
      value: nested(60),
      text: 'a'.repeat(65_536),
      copies: 10,
    }
    expect(checkOptions(wide, given, 'x/y')).toMatchObject({ copies: 10 })
  })

  it('makes a message of bounded length, without control characters', () => {
    const error = new ChaosError('CHAOS_INVALID_OPTION', `\u001b[31m${'x'.repeat(100_000)}`)
    expect(error.message).toHaveLength(16_384 + '\\u001b'.length - 1 + 1)
    expect(error.message).toMatch(/^\\u001b\[31mx/)
  })
})

describe('defineFault', () => {
  const base = {
    name: 'test/slow-down',
    kind: 'standing',
    summary: 'Slows down.',
    target: { expects: 'anything', accepts: () => true },
    inject: () => undefined,
  } as const

  it('makes types, checks, catalog and JSON Schema from one declaration', () => {
    const slow = defineFault({ ...base, options })
    expect(slow.catalog.info).toMatchObject({
      name: 'test/slow-down',
      kind: 'standing',
      options: { required: ['delayMs'], additionalProperties: false },
    })
    expect(Object.keys(slow.catalog.info.options['properties'] as object)).toEqual(['delayMs', 'order', 'tags'])
    expect(slow({ delayMs: 1 })).toMatchObject({ portable: true, options: { delayMs: 1, order: 'keep' } })
    expect(slow({ delayMs: 1, makeError: () => new Error('x') }).portable).toBe(false)
    const one = { isRequired: false, default: undefined, isInProcess: false }
    expect(slow.catalog.options).toEqual([
      { ...one, name: 'delayMs', description: 'How long.', isRequired: true },
      { ...one, name: 'order', description: 'Order.', default: 'keep' },
      { ...one, name: 'tags', description: 'A tag.' },
      { ...one, name: 'makeError', description: 'Makes the error.', isInProcess: true },
    ])
  })

  it('supports scalars, values by field path, and options that take a function or data', () => {
    const fields = option.fields('Which.')
    const options = {
      value: option.optional(option.scalar('What.')),
      where: option.optional(
        option.either(
          fields,
          option.func<(payload: unknown) => boolean>('Which.'),
          'values by field path, or a function',
        ),
      ),
    }
    const make = defineFault({ ...base, options })
    expect(make({ value: null, where: { 'a.b': 1, c: 'x' } })).toMatchObject({
      portable: true,
      options: { value: null, where: { 'a.b': 1, c: 'x' } },
    })
    expect(make({ where: () => true }).portable).toBe(false)
    expect(make.catalog.info.options['properties']).toMatchObject({
      where: { type: 'object', additionalProperties: {} },
    })
    expect(() => make({ value: {} as never })).toThrow(
      'Expected `value` of test/slow-down to be a string, a number, true, false or null, got `an object`.',
    )
    expect(() => make({ where: { a: {} } as never })).toThrow(
      'Expected `where` of test/slow-down to be values by field path, or a function, got `an object`.',
    )
  })

  it('accepts any value for an option, and is portable if JSON can carry it', () => {
    const answer = defineFault({
      ...base,
      options: { answer: option.optional(option.value('What to answer.')) },
    })
    expect(answer.catalog.info.options['properties']).toEqual({ answer: { description: 'What to answer.' } })
    expect(
      [{}, { answer: null }, { answer: ['OK', { rows: 1 }] }, { answer: new Map() }, { answer: Number.NaN }].map(
        (options) => answer(options).portable,
      ),
    ).toEqual([true, true, true, false, false])
  })

  it('takes a schema of another library together with its JSON Schema', () => {
    const foreign = {
      '~standard': {
        version: 1 as const,
        vendor: 'other',
        validate: (value: unknown) =>
          typeof (value as { n?: unknown }).n === 'number'
            ? { value }
            : { issues: [{ message: 'n must be a number', path: ['n'] }] },
      },
    }
    expect(() => defineFault({ ...base, options: foreign })).toThrow(
      'Pass the JSON Schema of the portable options as `jsonSchema`.',
    )
    const fault = defineFault({ ...base, options: foreign, jsonSchema: { type: 'object' } })
    expect(() => fault({ n: 'x' })).toThrow('Option `n` of test/slow-down: n must be a number (got `"x"`).')
    expect(fault.catalog.info.options).toEqual({ type: 'object' })
    // As one option among ours it has no JSON Schema, which would show only when somebody lists the faults.
    expect(() => defineFault({ ...base, options: { n: foreign } })).toThrow('Declare the option "n" with `option`')
  })
})
