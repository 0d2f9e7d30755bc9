import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../e2e/src/repository.js'
import { run, type Ran } from '../../e2e/src/run.js'
import { sabotages } from '../src/runner/arm.js'

const isQuick = process.env['CHAOS_SOAK'] === 'quick'

/** The fast check of the cases whose calls pass a layer, each in a process of its own. */
const check = (...args: readonly string[]): Promise<Ran> =>
  run(
    process.execPath,
    [join(root, 'bench/dist/main.js'), '--check', '--suite=sync-call', '--suite=emitter-1', ...args],
    { timeoutMs: 280_000 },
  )

/** A call of half a nanosecond shows each of them thirtyfold. Of a longer one a proxy or a clock read is a part that noise can hide. */
const mustRefuse = (sabotage: string): string[] => [
  'sync-call: armed at rate 0',
  ...(sabotage === 'async-wrapper'
    ? ['async-call: armed at rate 0', 'emitter-1: armed for another event, by its exact name']
    : []),
]

describe('the fast check', () => {
  it('lets the layers as they are pass', async () => {
    const { exitCode, stdout, stderr } = await check()
    expect(exitCode, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/bench:check: (\d+) of \1 cases within their margins\n/)
  })

  // One of them in the quick form.
  it.each(Object.keys(sabotages).slice(0, isQuick ? 1 : undefined))(
    'refuses a regression on purpose: %s',
    async (sabotage) => {
      const { exitCode, stdout, stderr } = await check(`--sabotage=${sabotage}`)
      expect(exitCode, stdout + stderr).toBe(1)
      const refused = /refused: (.*)\n/.exec(stdout)?.[1]?.split('; ')
      expect(refused, stdout).toEqual(expect.arrayContaining(mustRefuse(sabotage)))
    },
  )

  it('says what it expects where a regression has no name', async () => {
    const { exitCode, stderr } = await check('--sabotage=sleep')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Expected `--sabotage` to be one of async-wrapper, proxy, clock-read, got `sleep`.')
  })
})
