import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const EXPLAINED = `
  ℹ Chaos in this test (seed 7):
  ℹ   adapter/refuse-calls on Store, limit 5: hit 2 of 2 calls, in force
  ℹ     get, call 1
  ℹ     get, call 2
  ℹ Run this test alone again: CHAOS_SEED=7 node --test`

it(
  'rolls faults back, fails tests whose fault hit nothing, and explains what fails, in node:test',
  { timeout: 240_000 },
  async () => {
    const project = projectOf('node')
    const { exitCode, output } = await project.run('--test', [
      '--test-reporter=spec',
      'store.test.mjs',
      'clock.test.mjs',
    ])
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^ℹ pass 8$/m)
    expect(output).toMatch(/^ℹ (?:fail 2\nℹ cancelled 1|fail 3\nℹ cancelled 0)$/m)
    expect(output).toContain(EXPLAINED)
    expect(output).toContain('adapter/refuse-calls on Store: hit 1 of 1 call, in force')
    expect(output).toMatch(
      /The fault adapter\/refuse-calls on Store hit nothing in this test\. It saw no call that passes `only`\. [^\n]+\n *\n +Chaos in this test/,
    )

    const [, pattern = ''] = /'(--test-name-pattern=\^[^']*fails > always\$)' store\.test\.mjs/.exec(output) ?? []
    const again = await project.run('--test', ['--test-reporter=spec', pattern, 'store.test.mjs'])
    expect(again.output).toMatch(/^ℹ fail 1$/m)
    expect(again.output).toContain(EXPLAINED)
  },
)

it('repeats the options of Node.js that a file of tests needs to load', { timeout: 240_000 }, async () => {
  const { folder, run } = projectOf('node')
  writeFileSync(join(folder, 'setup.cjs'), 'globalThis.isSetUp = true')
  writeFileSync(
    join(folder, 'needy.test.mjs'),
    `import test from 'node:test'
     import { refuseCalls } from '@chaos/adapter'
     import { useChaos } from '@chaos/test/node'
     if (!globalThis.isSetUp) throw new Error('not set up')
     test('fails', async (t) => {
       const store = { get: async () => 1 }
       await useChaos(t).inject(refuseCalls(), store)
       await store.get()
     })`,
  )
  const { output } = await run('--require=./setup.cjs', ['--test', '--test-reporter=spec', 'needy.test.mjs'])
  const [, options = '', pattern = ''] = /CHAOS_SEED=7 node (\S+) --test (\S+) needy\.test\.mjs/.exec(output) ?? []
  const again = await run(options, ['--test', '--test-reporter=spec', pattern.replaceAll("'", ''), 'needy.test.mjs'])
  expect(again.output).toContain('CHAOS_SEED=7 node --require=./setup.cjs --test')
})

it('runs the example of the README', { timeout: 240_000 }, async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code = '']) => code)
  const own = examples.filter((code) => code.includes("'@chaos/test/node'"))
  expect(own).toHaveLength(1)
  const project = projectOf('node')
  writeFileSync(join(project.folder, 'example.test.mjs'), own.join(''))
  const { exitCode, output } = await project.run('--test', ['--test-reporter=spec', 'example.test.mjs'])
  expect(exitCode, output).toBe(0)
  expect(output).toMatch(/^ℹ pass 1$/m)
})
