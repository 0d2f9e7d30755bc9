import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Experiment, ExperimentResult } from '@chaos/experiment'
import { ownRedis } from '@chaos/test-servers'
import { expect, onTestFinished, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { chaosRun } from '../demo/chaos-run.js'
import { appFolder } from '../src/config.js'
import { RedisAdapter } from '../src/storage/redis-adapter.js'
import { token } from '../test/start.js'
import { devServer, folder, loadOn } from './helpers.js'

/** How long the network is broken. */
export interface RedisChaos {
  /** The time for which Redis is frozen, in ms. */
  readonly freezeMs: number
  /** The time for which its answers are late and packets are lost, in ms. */
  readonly lateMs: number
}

/** Between the two phases, so that what HighLatency looks at, which is 10 s, is of the second one soon after its beginning. */
const PAUSE_MS = 10_000
/** The window of the probe of API latency. */
const WINDOW_MS = 3_000

/** Bounds above what a busy machine does for a moment, and below the 500 ms by which Redis is late. */
const BETWEEN: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'API latency p95': { below: 0.45 },
  'bus lag p95': { atMost: 450 },
}

/** The experiment without what a busy machine does to the app by itself, and with other lengths of its phases if any are given. */
function variantOf(whole: Experiment, lengths: RedisChaos | undefined): Experiment {
  const { steadyState, load, alerts, recovery } = whole
  return {
    ...whole,
    steadyState: {
      ...steadyState,
      probes: steadyState.probes
        .filter(({ name }) => name !== 'loop rate')
        .map((probe) => ({ ...probe, ...(probe.name in BETWEEN && { tolerance: BETWEEN[probe.name] }) })),
    },
    ...(load && { load: { ...load, maxOwnDelayMs: 10_000 } }),
    ...(alerts && {
      alerts: {
        ...alerts,
        mayFire: [...alerts.mayFire, 'LowConsciousnessHz', 'SlowRecovery'],
        resolveWithinMs: 120_000,
      },
    }),
    recovery: { ...recovery, withinMs: 120_000 },
    ...(lengths && { method: methodOf(whole, lengths) }),
  }
}

function methodOf({ method }: Experiment, { freezeMs, lateMs }: RedisChaos): Experiment['method'] {
  return method.map((step) => {
    if ('waitMs' in step) return { waitMs: freezeMs + PAUSE_MS }
    const leaseMs = step.inject.fault === 'proxy/limit-bandwidth' ? freezeMs : lateMs
    return { inject: { ...step.inject, leaseMs } }
  })
}

async function experimentFile(directory: string, lengths: RedisChaos | undefined): Promise<string> {
  const whole = parse(await readFile(join(appFolder, 'experiments', 'redis.yaml'), 'utf8')) as Experiment
  const file = join(directory, 'redis.yaml')
  await writeFile(file, stringify(variantOf(whole, lengths)))
  return file
}

/** The verdict is a pass, or an alert came and went: on a busy machine some late answers take longer than storage waits. */
function expectHealing({ verdict }: ExperimentResult): void {
  const outcomes = verdict.alerts.filter(({ mustFire }) => mustFire).map(({ outcome }) => outcome)
  expect(outcomes).toHaveLength(2)
  expect(
    outcomes.filter((outcome) => outcome !== 'detected' && outcome !== 'flapped'),
    verdict.cause,
  ).toEqual([])
  expect(verdict.name, verdict.cause).toBe(outcomes.includes('flapped') ? 'alert-failed' : 'pass')
  expect(verdict.breached).toContain('breaker')
}

/** Whether the late answers of Redis, and nothing before them, made the API late and its alert fire. */
function expectLateness({ evidence }: ExperimentResult): void {
  const { landedAt = 0, endedAt = 0 } = evidence.injections.find(({ fault }) => fault === 'proxy/delay-data') ?? {}
  const firing = evidence.alerts.filter(({ name, state }) => name === 'HighLatency' && state === 'firing')
  expect(
    firing.some(({ from, to = endedAt }) => from < endedAt && to > landedAt + WINDOW_MS),
    'HighLatency fires because of late answers',
  ).toBe(true)
  const latency = evidence.curves.find(({ probe }) => probe === 'API latency p95')?.samples ?? []
  const inPhase = latency.filter(({ at }) => at > landedAt + WINDOW_MS && at < endedAt)
  expect(Math.max(...inPhase.map(({ value }) => value ?? 0)), 'seconds').toBeGreaterThanOrEqual(0.5)
}

/** Redis alone must hold every entry, whatever memory answers. */
async function expectAllIn(redisPort: number, url: string): Promise<void> {
  const answer = await fetch(`${url}/api/journal`, { headers: { authorization: `Bearer ${await token('witness')}` } })
  const entries = (await answer.json()) as readonly { readonly id: string }[]
  expect(entries.length).toBeGreaterThan(20)
  const witness = new RedisAdapter(`redis://127.0.0.1:${redisPort}`)
  await witness.init()
  onTestFinished(() => witness.close())
  // Memory serves, with the breaker closed, until its writes are replayed.
  await vi.waitFor(async () => expect(await witness.keys('mem:')).toHaveLength(entries.length))
  expect(await Promise.all(entries.map(({ id }) => witness.get(`mem:${id}`)))).toEqual(entries)
}

/**
 * Runs the experiment on a Redis of its own, by `chaos run`. The API goes on from memory, the alerts fire and resolve, nothing
 * acknowledged is lost, and the storage heals.
 *
 * @param lengths Default: those of the file.
 */
export async function redisChaos(lengths?: RedisChaos): Promise<void> {
  const redis = await ownRedis()
  onTestFinished(() => redis.stop())
  const dev = await devServer({ REDIS_URL: `redis://127.0.0.1:${redis.port}` })
  const load = await loadOn(dev)
  const directory = await folder()
  const file = await experimentFile(directory, lengths)
  const result = await chaosRun({ ...dev, file, loadUrl: load.url, directory })
  expectHealing(result)
  expectLateness(result)
  await load.stop()
  await expectAllIn(redis.port, dev.url)
}
