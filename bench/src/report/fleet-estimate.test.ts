import { describe, expect, it } from 'vitest'
import type { FleetPoint, Load } from '../fleet/point.js'
import { estimateOf, type Estimate } from './fleet-estimate.js'
import { fleetPlots, fleetTables } from './fleet-page.js'

const load = (over: Partial<Load> = {}): Load => ({
  agentCpu: 0.0001,
  callsPerS: 0.2,
  bytesPerS: 100,
  engineCpu: 0.02,
  engineUsPerCall: 50,
  controllerCpu: 0.01,
  ...over,
})
const point = (agents: number, over: Partial<FleetPoint> = {}): FleetPoint => ({
  agents,
  processes: 4,
  leaseMs: 5_000,
  idle: load(),
  active: load({ callsPerS: 2 }),
  agentKib: 200,
  engineKib: 20,
  connections: 2,
  startBytes: 2_000 + 40 * agents,
  startEngineMs: 100,
  startAgentMs: 1,
  lostStarts: 0,
  listMs: [agents / 100],
  askedMs: [agents],
  appliedMs: [agents / 2],
  closedMs: [agents / 4],
  haltedMs: [agents / 8],
  killedMs: [2_900],
  ...over,
})

describe('the estimate for 100,000 agents', () => {
  const estimate = estimateOf([point(2_000, { leaseMs: 3_000 }), point(10)]) as Estimate

  it('reckons from the largest fleet, for the default lease', () => {
    expect(estimate.from.agents).toBe(2_000)
    expect(estimate.idle).toMatchObject({ callsPerS: 20_000, engineCores: 1, agentCores: 10, megabytesPerS: 10 })
    // A lease of 5 s in place of 3 s: three fifths of the calls.
    expect(estimate.active.callsPerS).toBeCloseTo(120_000)
  })

  it('finds what each instance adds to the plan of all', () => {
    expect(estimate.planBytes).toBeCloseTo(40)
    const plan = estimate.limits.find(({ what }) => what.startsWith('the plan'))
    // n agents read 40 n bytes each: 15 s of 125 MB/s.
    expect(plan?.agents).toBeCloseTo(Math.sqrt((15 * 125e6) / 40))
  })

  it('names what breaks first, and gives a shard no more than the least limit that relays do not lift', () => {
    const agents = estimate.limits.map((limit) => limit.agents)
    expect(agents).toEqual([...agents].sort((a, b) => a - b))
    expect(estimate.limits[0]).toMatchObject({ what: 'connections to one Redis', agents: 5_000 })
    expect(estimate.perShard).toBe(Math.floor(Math.sqrt((15 * 125e6) / 40)))
    expect(estimate.shards * estimate.perShard).toBeGreaterThanOrEqual(100_000)
    expect(estimate.connections).toEqual({ direct: 200_000, relayed: 4_000 })
  })

  it('is made of two fleets at least, that could be measured in a run', () => {
    expect(estimateOf([point(10)])).toBeUndefined()
    expect(estimateOf([point(10), point(200, { active: undefined })])).toBeUndefined()
    expect(estimateOf([point(10), point(50), point(200, { active: undefined })])?.from.agents).toBe(50)
  })
})

describe('the page', () => {
  const results = {
    date: '2026-01-01',
    node: '20.0.0',
    platform: 'linux x64',
    cpus: '2 × some',
    redis: '7.0.0',
    busyCores: 3,
    points: [point(10), point(200)],
    failures: [{ agents: 2_000, why: 'The run was lost' }],
    relay: { processes: 200, reads: 6_000, relayUsPerRead: 90, engineUsPerRead: 10, connections: 1 },
  }

  it('tells of a busy machine, of what was not measured, and of both axes of each plot', () => {
    const text = fleetTables(results)
    expect(text).toContain('Other work kept 3 cores of the machine busy')
    expect(fleetTables({ ...results, busyCores: 0.1 })).toContain('The machine did nothing else.')
    expect(text).toContain('- 2,000 agents were not measured: The run was lost')
    expect(text).toContain('| 200 | 100 ms (100) | 200 ms (200) | 50 ms (50) | 25 ms (25) | 2,900 ms (2,900) | 0 |')
    for (const [name, svg] of fleetPlots(results)) {
      expect(text).toContain(`](../images/${name})`)
      expect(svg).toContain('>agents')
    }
  })

  it('shows what could not be measured as such, and says where a lease was longer', () => {
    const busy = point(2_000, { leaseMs: 30_000, active: undefined, killedMs: [], startBytes: Number.NaN })
    const text = fleetTables({ ...results, points: [point(10), point(50), busy] })
    expect(text).not.toMatch(/NaN|undefined/)
    expect(text).toContain('30,000 ms with 2,000 agents')
    expect(fleetPlots({ ...results, points: [point(10), busy] }).get('fleet-times.svg')).not.toContain('NaN')
  })

  it('leaves the estimate out where there is nothing to reckon from', () => {
    expect(fleetTables({ ...results, points: [point(10)] })).not.toContain('On paper')
  })
})
