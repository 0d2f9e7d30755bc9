import type { FaultInfo, JsonSchema } from '@chaos/core'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addFaultOptions } from './fault-options.js'
import { takesAnyOption } from './undeclared-options.js'

const faultOf = (options: JsonSchema): FaultInfo => ({ name: 'a/b', kind: 'standing', summary: 'Any.', options })

/** What a command that takes `--name` itself makes of arguments, of a fault that declares no options. */
function read(args: readonly string[], options: JsonSchema = { type: 'object' }): unknown {
  const said: string[] = []
  const command = new Command('inject')
    .exitOverride()
    .configureOutput({ writeErr: (text) => said.push(text) })
    .option('--name <text>')
  const readOptions = addFaultOptions(command, faultOf(options), args)
  try {
    command.allowExcessArguments(false).parse(args, { from: 'user' })
    return readOptions()
  } catch {
    return said.join('')
  }
}

describe('options that a fault does not declare', () => {
  it.each([
    [['--delay-ms', '500'], { delayMs: 500 }],
    [['--delayMs=2s'], { delayMs: 2_000 }],
    [['--delay-ms', '{"min":1,"max":2}'], { delayMs: { min: 1, max: 2 } }],
    [['--rate', '0.5', '--count', '-3'], { rate: 0.5, count: -3 }],
    [['--error', 'ECONNRESET', '--label', ''], { error: 'ECONNRESET', label: '' }],
    [['--code', '"500"'], { code: '500' }],
    [['--is-loud'], { isLoud: true }],
    [['--is-loud', '--no-is-off', '--is-free', 'false'], { isLoud: true, isOff: false, isFree: false }],
    [['--keys', '["a","b"]'], { keys: ['a', 'b'] }],
    [['--keys', 'a', '--keys', 'b'], { keys: ['a', 'b'] }],
    [['--with-name', 'x', '--name', 'own'], { name: 'x' }],
    [['--with-delay-ms', '1s'], { delayMs: 1_000 }],
    [['--label', 'two words=or more\nlines'], { label: 'two words=or more\nlines' }],
    [
      ['--to-string', 'x', '--has-own-property', 'y', '--constructor', 'z'],
      { toString: 'x', hasOwnProperty: 'y', constructor: 'z' },
    ],
    [['--name', 'own'], {}],
    [[], {}],
  ])('%j are read as they stand', (args, expected) => {
    expect(read(args)).toEqual(expected)
  })

  it.each([
    [['--delay-ms', 'soon'], 'Expected a time such as 500ms, 10s or 2m.'],
    [['--a-1', 'x'], "unknown option '--a-1'"],
    [['---x', 'y'], "unknown option '---x'"],
    [['--X', 'y'], "unknown option '--X'"],
    [['-x', 'y'], "unknown option '-x'"],
  ])('%j are refused', (args, why) => {
    expect(read(args)).toContain(why)
  })

  it('stay out of the prototype of what is sent', () => {
    const given = read(['--__proto__', '{"polluted":true}', '--with-__proto__', '1', '--proto', '1'])
    expect(JSON.stringify(given)).not.toContain('polluted')
    expect(Object.hasOwn({}, 'polluted')).toBe(false)
  })

  it('belong to schemas without `properties` alone', () => {
    expect(takesAnyOption(faultOf({ type: 'object' }))).toBe(true)
    expect(takesAnyOption(faultOf({ type: 'object', properties: {} }))).toBe(false)
    expect(takesAnyOption(faultOf({ type: 'object', additionalProperties: false }))).toBe(false)
    expect(takesAnyOption(faultOf({ type: 'object', properties: 'hostile' }))).toBe(false)
    expect(read(['--delay-ms', '5'], { type: 'object', properties: {} })).toContain("unknown option '--delay-ms'")
  })
})
