import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { codeBlocks, exampleFolder, faultNames, pageExamples, toCommonJs } from './examples.js'
import { packageNamed } from './repository.js'
import { run } from './run.js'

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

it('takes a program as an example only where its output follows directly', () => {
  const fence = '```'
  const page = [
    `${fence}js\nwithout()\n${fence}\n`,
    'Text in between.\n',
    `${fence}text\nno output\n${fence}\n`,
    `${fence}js\nlog(1)\n${fence}\n`,
    `${fence}text\n1\n${fence}\n`,
    `${fence}js\nlast()\n${fence}\n`,
  ].join('\n')
  expect(pageExamples(page)).toEqual([{ code: 'log(1)\n', output: '1\n' }])
})

it('gives examples the packages of this repository and the libraries of an injector', async () => {
  const folder = exampleFolder(packageNamed('eventbus'))
  onTestFinished(folder.remove)
  const file = folder.write(
    'imports.mjs',
    "import { dropEvents } from '@chaos/eventbus'\nimport { WebSocket } from 'ws'\nconsole.log(dropEvents.name, WebSocket.name)\n",
  )
  expect(await run(process.execPath, [file])).toMatchObject({ exitCode: 0, stderr: '' })
})

it('finds the faults of every entry point', async () => {
  const faults = await faultNames(packageNamed('adapter'))
  expect(faults).toEqual(
    expect.arrayContaining(['adapter/refuse-calls', 'adapter/fail-lookups', 'adapter/delay-requests']),
  )
})
