import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const EXPLAINED = `
Chaos in this test (seed 7):
  adapter/refuse-calls on Store, limit 5: hit 2 of 2 calls, in force
    get, call 1
    get, call 2
Run this test alone again: CHAOS_SEED=7 npx mocha store.test.cjs --fgrep 'a store fails (always)'
`

describe('the hooks of Mocha', () => {
  it('roll faults back, fail tests whose fault hit nothing, and explain what fails', { timeout: 240_000 }, async () => {
    const project = projectOf('mocha', 'mocha')
    const program = join('..', 'node_modules', 'mocha', 'bin', 'mocha.js')
    const { exitCode, output } = await project.run(program, ['--timeout', '60000', 'store.test.cjs'])
    expect(exitCode).toBe(6)
    expect(output).toMatch(/6 passing \(.+\)\n {2}6 failing/)
    expect(output).toContain(EXPLAINED)
    expect(output).toMatch(
      /Timeout of 1000ms exceeded\..+\n\nChaos in this test \(seed 7\):\n {2}adapter\/refuse-calls on Store: hit 1 of 1 call, in force\n/,
    )
    expect(output.match(/ChaosError: The fault adapter\/refuse-calls on Store hit nothing in this test/g)).toHaveLength(
      3,
    )
    expect(output).toMatch(/store\.test\.cjs:\d+:17\)\n/)
    expect(output).toContain('No test runs that `useChaos` was called for.')

    const again = await project.run(program, ['store.test.cjs', '--fgrep', 'a store fails (always)'])
    expect(again.output).toMatch(/0 passing \(.+\)\n {2}1 failing/)
    expect(again.output).toContain(EXPLAINED)
  })
})
