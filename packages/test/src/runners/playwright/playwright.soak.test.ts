import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectOf } from '../../../test/project.js'

const EXPLAINED = `
    Chaos in this test (seed 7):
      adapter/refuse-calls on Store, limit 5: hit 2 of 2 calls, in force
        get, call 1
        get, call 2
    Run this test alone again: CHAOS_SEED=7 npx playwright test store.spec.mjs:`

describe('the fixtures of Playwright', () => {
  it(
    'roll faults back, here and in another process, fail tests whose fault hit nothing, and attach what explains a failure',
    { timeout: 240_000 },
    async () => {
      const project = projectOf('playwright', '@playwright/test')
      const program = join('..', 'node_modules', '@playwright', 'test', 'cli.js')
      const { exitCode, output } = await project.run(program, ['test'])
      expect(exitCode).toBe(1)
      expect(output).toMatch(/^ {2}6 failed$/m)
      expect(output).toMatch(/^ {2}7 passed \(.+\)$/m)
      expect(output).toContain('attachment #1: chaos (text/plain)')
      expect(output).toContain(EXPLAINED)
      expect(output).toContain('adapter/refuse-calls on Store: hit 1 of 1 call, in force')
      expect(output).toContain('ChaosError: The fault adapter/refuse-calls on store hit nothing in this test.')
    },
  )
})
