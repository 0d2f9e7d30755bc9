import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODES } from '@chaos/experiment'
import { expect, it } from 'vitest'
import { root } from '../../src/repository.js'

const text = readFileSync(join(root, 'docs/concepts.md'), 'utf8')
/** What the page explains: the words in bold that begin or end a sentence of their own. */
const terms = [...text.matchAll(/\*\*([^*]+?)\.?\*\*/g)].map(([, term = '']) => term.toLowerCase())

it('explains each word once', () => {
  expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([])
})

it.each([
  ...['fault', 'target', 'lease', 'blast radius', 'seam', 'standing and instant', 'landed', 'held', 'hold', 'injector'],
  ...['toxic', 'controller', 'steady state', 'probe', 'guardrail', 'rollback', 'verdict', 'sabotage', 'assisted'],
  ...['negative control', 'hypothesis', 'action', 'sli and slo', 'mttd', 'mttr', 'operation', 'binding', 'seed'],
])('explains %s', (word) => {
  expect(terms).toContain(word)
})

it('counts the verdicts as they are', () => {
  const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
  expect(text).toContain(`pass, or one of ${names[Object.keys(EXIT_CODES).length - 2] ?? ''} other names`)
})
