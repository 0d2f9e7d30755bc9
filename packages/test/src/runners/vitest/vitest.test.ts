import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const EXPLAINED = `
Chaos in this test (seed 7):
  adapter/refuse-calls on Store, limit 5: hit 2 of 2 calls, in force
    get, call 1
    get, call 2
Run this test alone again: CHAOS_SEED=7 npx vitest run store.test.mjs -t '^a store (> )?that is down (> )?fails \\(always\\)$'
`

/** Vitest 5 needs Node.js 22 or later. */
const isNewNode = Number(process.versions.node.split('.')[0]) >= 22
const INSTALLED = [
  ['in the usual version', undefined] as const,
  ...(isNewNode ? [['in version 5', 'vitest-next'] as const] : []),
]

describe.each(INSTALLED)('the fixture of Vitest, %s', (_, installed) => {
  it(
    'rolls faults back, fails tests whose fault hit nothing, and explains what fails',
    { timeout: 240_000 },
    async () => {
      const project = projectOf('vitest', 'vitest', installed)
      const program = join('..', 'node_modules', 'vitest', 'vitest.mjs')
      const { exitCode, output } = await project.run(program, [
        'run',
        '--root',
        '.',
        'clock',
        'explore',
        'many',
        'store',
      ])
      expect(exitCode).toBe(1)
      expect(output).toMatch(/Tests +5 failed \| 508 passed \(513\)/)
      expect(output).toContain(
        `AssertionError: expected 'gave up' to be 'value of a' // Object.is equality\n${EXPLAINED}`,
      )
      expect(output).toMatch(
        /Test timed out in 1000ms\.\n.+\n\nChaos in this test \(seed 7\):\n {2}adapter\/refuse-calls on Store: hit 1 of 1 call, in force\n/,
      )
      expect(output).toMatch(
        /ChaosError: The fault adapter\/refuse-calls on Store hit nothing in this test\. It saw no call that passes `only`\. [^\n]+\n\nChaos in this test/,
      )
      // The code frame is that of the call which injected the fault.
      expect(output).toMatch(/store\.test\.mjs:35:15\n/)
      expect(output).toContain("Calls such as `get` were seen, but outside of the test's scope.")
      expect(output).toContain(
        "await inject(failAfterCall(), payments, { scope: 'an order is charged once', only: 'charge', limit: 1 })",
      )

      const again = await project.run(program, [
        'run',
        '--root',
        '.',
        'store.test.mjs',
        '-t',
        String.raw`^a store (> )?that is down (> )?fails \(always\)$`,
      ])
      expect(again.output).toMatch(/Tests +1 failed \| \d+ skipped/)
      expect(again.output).toContain(EXPLAINED)
    },
  )

  it('keeps its promises where a hook fails, or where a test is expected to fail', { timeout: 240_000 }, async () => {
    const project = projectOf('vitest', 'vitest')
    const program = join('..', 'node_modules', 'vitest', 'vitest.mjs')
    const { output } = await project.run(program, ['run', '--root', '.', '--reporter=tap-flat', 'hooks', 'beside'])
    const failed = [...output.matchAll(/^not ok \d+ - \S+ > (.+?) # time/gm)].map(([, title]) => title)
    const passed = [...output.matchAll(/^ok \d+ - \S+ > (.+?) # time/gm)].map(([, title]) => title)
    const ifThere = output.includes('a hook around each')
      ? ['a hook around each > fails when its fault hits nothing']
      : []
    expect(failed, output).toEqual([
      'a test that is expected to fail > fails when its fault hits nothing',
      'a test that is expected to fail > fails when its fault cannot be rolled back',
      'a hook that fails > leaves nothing in force',
      ...ifThere,
    ])
    expect(passed).toContain('a test that is expected to fail > passes when its body fails')
    expect(passed).toContain('nothing is left in force')
    expect(passed.filter((title) => title?.startsWith('beside a test with a fault'))).toHaveLength(5)
  })
})
