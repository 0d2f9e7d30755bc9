import { expect, it } from 'vitest'
import { examplesIn, runModule } from './page-examples.js'

it('gives each block of a language the output that follows at once', () => {
  const page = [
    '```js\n// a.mjs\none()\n```\n\n```text\n1\n```',
    '```js\ntwo()\n```\n\nIt prints nothing:\n\n```text\n2\n```',
    '```sh\nls\n```\n',
  ].join('\n\n')
  expect(examplesIn(page, 'js')).toEqual([
    { language: 'js', code: '// a.mjs\none()\n', file: 'a.mjs', line: 2, output: '1\n' },
    { language: 'js', code: 'two()\n', file: undefined, line: 11, output: undefined },
  ])
})

it('runs a module that imports a package of the repository', async () => {
  const ran = await runModule("import { injectedBy } from '@chaos/core'\nconsole.log(injectedBy(new Error('real')))")
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'undefined\n' })
})
