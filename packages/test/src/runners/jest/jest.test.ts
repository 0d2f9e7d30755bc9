import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const explained = (file: string): string => `
  ● a store that is down › fails (always)

    Chaos in this test (seed 7):
      adapter/refuse-calls on Store, limit 5: hit 2 of 2 calls, in force
        get, call 1
        get, call 2
    Run this test alone again: CHAOS_SEED=7 NODE_OPTIONS=--experimental-vm-modules npx jest ${file} -t '^a store that is down fails \\(always\\)$'
`

describe('the hooks of Jest', () => {
  it('roll faults back, fail tests whose fault hit nothing, and explain what fails', { timeout: 240_000 }, async () => {
    const project = projectOf('jest', 'jest')
    const program = join('..', 'node_modules', 'jest', 'bin', 'jest.js')
    const run = (...args: readonly string[]): ReturnType<typeof project.run> =>
      project.run('--experimental-vm-modules', [program, '--runInBand', ...args])
    const { exitCode, output } = await run()
    expect(exitCode).toBe(1)
    expect(output).toMatch(/Tests: +6 failed, 16 passed, 22 total/)
    for (const file of ['commonjs.jest.cjs', 'modules.jest.mjs']) {
      expect(output).toContain(explained(file))
      expect(output).toContain(`(${file}:36:15)`)
    }
    expect(output).toMatch(
      /Chaos in this test \(seed 7\):\n {6}adapter\/refuse-calls on Store: hit 1 of 1 call, in force\n/,
    )
    expect(output).toMatch(
      /ChaosError: The fault adapter\/refuse-calls on Store hit nothing in this test\. It saw no call that passes `only`\. [^\n]+\n\n {4}Chaos in this test/,
    )
  })
})
