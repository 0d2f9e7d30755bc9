import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { loaderWords, rerunLine, titlePattern } from './rerun.js'

const titles = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' })

it('quotes words so that a shell passes them on as they are', () => {
  const words = ["it's", '$HOME', 'a "b"', '`id`', '-t', 'plain', '!', '\\']
  const line = rerunLine('7 7', [
    process.execPath,
    '-p',
    'JSON.stringify([process.env.CHAOS_SEED, ...process.argv.slice(1)])',
    '--',
    ...words,
  ])
  expect(JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' }))).toEqual(['7 7', ...words])
})

it('makes a pattern that matches one title alone', () =>
  fc.assert(
    fc.property(titles, titles, (title, other) => {
      const pattern = new RegExp(titlePattern(title))
      expect(pattern.test(title)).toBe(true)
      expect(pattern.test(other)).toBe(title === other)
    }),
  ))

it('keeps the options by which Node.js loads modules, each once, and no others', () => {
  expect(loaderWords(['--import=tsx', '--test-name-pattern', 'x', '--import', 'tsx', '--inspect-port=9229'])).toEqual([
    '--import=tsx',
  ])
  expect(loaderWords(['-r', './a=b.cjs', '-C', 'development', '--experimental-strip-types', '--test'])).toEqual([
    '--require=./a=b.cjs',
    '--conditions=development',
    '--experimental-strip-types',
  ])
  expect(loaderWords(['--import'])).toEqual([])
})
