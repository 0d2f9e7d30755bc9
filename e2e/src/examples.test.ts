import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { codeBlocks, toCommonJs } from './examples.js'

it('finds the blocks of a language', () => {
  const folder = mkdtempSync(join(tmpdir(), 'blocks-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.md')
  writeFileSync(file, 'x\n```js\none()\n```\n```sh\nls\n```\n```js\ntwo()\n```\n')
  expect(codeBlocks(file, 'js')).toEqual(['one()\n', 'two()\n'])
})

it('turns a module into a script', () => {
  expect(toCommonJs("import { a, b as c } from 'x'\nawait a(c)\n")).toBe(
    "const { a, b: c } = require('x')\nvoid (async () => {\n\nawait a(c)\n\n})()\n",
  )
  expect(() => toCommonJs("import a from 'x'\n")).toThrow('named imports')
})
