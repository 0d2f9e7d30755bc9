import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { exampleFolder, examplesOf } from '../test/pages.js'

const folder = exampleFolder()
afterAll(folder.remove)

/** Runs a file by the built package, as a user does. */
const run = async (file: string): Promise<string> => (await promisify(execFile)(process.execPath, [file])).stdout

it.each(examplesOf('docs/observing-workers.md').map((code, index) => [index, code] as const))(
  'runs example %i of the page on observing',
  async (index, code) => {
    const expected = [
      /^1 restart, back after [\d.]+ ms\nhealed: false, deaths without an answer: 1\n$/,
      /^told: worker exited with code: 1\n[\s\S]*lost: 1/,
      /^7\nterminated \[[\s\S]*told: Worker is terminated\n$/,
    ]
    expect(await run(folder.write(`observing-${index}.mjs`, code))).toMatch(expected[index] ?? /^$/)
  },
)

it('runs what the recipe for supervisors shows', async () => {
  for (const code of examplesOf('docs/recipes/supervise-a-worker.md'))
    folder.write(/^\/\/ (\S+)\n/.exec(code)?.[1] ?? '', code)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    folder.write('run.mjs', "await import('./try.mjs')"),
  ])
  expect(stdout).toBe(
    'the answer is 42 all the same\nthe answer is 42 all the same\n2 deaths, 2 restarts, healed: true; lost tasks: 0\n',
  )
  expect(stderr).toBe('A worker failed: Injected crash\n')
})
