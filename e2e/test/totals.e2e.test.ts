import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { root } from '../src/repository.js'
import { run, type Ran } from '../src/run.js'

describe('the totals of a test run', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chaos-totals-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const file of ['scripts/totals.mjs', 'scripts/workspace.mjs', 'pnpm-workspace.yaml'])
      cpSync(join(root, file), join(folder, file))
    for (const [dir, scripts] of Object.entries({
      'packages/one': { test: 'vitest run && vitest run --config other' },
      'apps/two': { test: 'vitest run', e2e: 'vitest run --config e2e' },
      e2e: { e2e: 'vitest run' },
      bench: {},
      'test-servers': { test: 'vitest run' },
    })) {
      mkdirSync(join(folder, dir, 'test-results'), { recursive: true })
      writeFileSync(join(folder, dir, 'package.json'), JSON.stringify({ scripts }))
    }
    for (const name of [
      'packages/one/test-results/vitest',
      'packages/one/test-results/other',
      'apps/two/test-results/vitest',
      'apps/two/test-results/e2e',
      'e2e/test-results/e2e',
      'test-servers/test-results/vitest',
    ])
      report(name, 'passed')
  })

  /** What a run leaves: one test, which came out so. */
  function report(name: string, status: 'passed' | 'failed' | 'skipped'): void {
    const count = (of: string): number => Number(status === of)
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify({
        numPassedTests: count('passed'),
        numFailedTests: count('failed'),
        numPendingTests: count('skipped'),
        numTodoTests: 0,
        testResults: [{ assertionResults: [{ status, fullName: 'a test' }] }],
      }),
    )
  }
  const totals = (required = ''): Promise<Ran> =>
    run(process.execPath, [join(folder, 'scripts/totals.mjs')], {
      env: { ...process.env, CHAOS_REQUIRE_SERVICES: required },
    })

  it('add up every run', async () => {
    expect(await totals()).toMatchObject({ exitCode: 0, stdout: 'Tests: 6 passed, 0 failed, 0 skipped\n' })
  })

  it.each(['packages/one/test-results/other', 'apps/two/test-results/e2e', 'e2e/test-results'])(
    'miss %s, which reported nothing, and fail',
    async (name) => {
      rmSync(join(folder, name.endsWith('results') ? name : `${name}.json`), { recursive: true })
      const { exitCode, stdout } = await totals()
      expect([exitCode, stdout]).toEqual([
        1,
        expect.stringMatching(
          /^\S+: expected results of [12] runs of vitest, got [01]\. [^\n]+\nTests: 5 passed, 0 failed, 0 skipped\n$/,
        ),
      ])
    },
  )

  it('fail with a test that failed, and with a skipped one where every service is required', async () => {
    report('e2e/test-results/e2e', 'skipped')
    expect(await totals()).toMatchObject({
      exitCode: 0,
      stdout: 'skipped: e2e: a test\nTests: 5 passed, 0 failed, 1 skipped\n',
    })
    expect(await totals('all')).toMatchObject({ exitCode: 1 })
    report('e2e/test-results/e2e', 'failed')
    expect(await totals()).toMatchObject({ exitCode: 1, stdout: 'Tests: 5 passed, 1 failed, 0 skipped\n' })
  })
})
