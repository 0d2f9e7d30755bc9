import { hasPrograms } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { harms, startLab, tryHarm, type Harm, type Lab } from '../src/index.js'
import { hasWallClocks } from '../src/wall-clock.js'

const LEASE_MS = 3_000
const AGENTS = 20
/** What a busy machine may add, in ms, besides the lateness of event loops, which is measured. The soak has the bar. */
const ALLOWANCE_MS = 1_000

/** The harms that together try each promise. The quick form of the soak tries all. */
const TRIED: ReadonlySet<string> = new Set([
  'controller: cut off',
  'half of the agents: cut off',
  'Redis: SIGKILL',
  'Redis: FLUSHALL',
  'wall clock of Redis: +1 h',
  'wall clocks of agents: 0, -1 h, +1 d, controller: SIGKILL',
  'halt, controller: SIGKILL',
])

describe.runIf(process.platform === 'linux' && hasPrograms('redis-server'))(
  'a fleet that is harmed (skipped without Linux, or `redis-server`: Debian package redis-server)',
  () => {
    let lab: Lab
    beforeAll(async () => {
      lab = await startLab({ agents: AGENTS, processes: 2, leaseMs: LEASE_MS })
    })
    afterAll(() => lab.stop())
    const tried = harms.filter(({ name }) => TRIED.has(name))

    it('is harmed in ways that try each promise', () => {
      const promisesOf = (some: readonly Harm[]) => new Set(some.flatMap(({ promises }) => promises.split(', ')))
      expect(tried).toHaveLength(TRIED.size)
      expect([...promisesOf(tried)].sort()).toEqual([...promisesOf(harms)].sort())
    })

    for (const harm of tried)
      it.runIf(harm.needsClock !== true || hasWallClocks())(
        `${harm.promises}: ${harm.name}${harm.needsClock === true ? ' (skipped without `gcc`)' : ''}`,
        async () => {
          const trial = await tryHarm(lab, harm, 0.5)
          expect(trial.reapplied).toBe(0)
          for (const why of Object.keys(trial.whys)) expect(why).toMatch(harm.whys)
          const reached = harm.reaches?.(lab).length ?? AGENTS
          expect(Object.values(trial.whys).reduce((sum, count) => sum + count, 0)).toBe(reached)
          // How much sooner it is than the lease depends on the machine: the soak measures that.
          const bound = Math.max(LEASE_MS, harm.boundMs(LEASE_MS)) + trial.lateMs + ALLOWANCE_MS
          expect(trial.revertedMs).toBeLessThanOrEqual(bound)
          expect(trial.brokenMs).toBeLessThanOrEqual(bound)
        },
      )
  },
)
