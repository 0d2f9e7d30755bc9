import { DEFAULT_LEASE_MS, type FleetPoint, type Load } from '../fleet/point.js'
import { median } from '../runner/statistics.js'

/** What does not follow from measurements. */
export const ASSUMED = {
  agents: 100_000,
  /** Processes on a host, which share a relay. */
  perHost: 50,
  /** The most of one core that an engine should use for fleets, since it answers one call at a time. */
  engineCpu: 0.5,
  /** Bytes per second of a link of 1 Gbit/s. */
  linkBytesPerS: 125_000_000,
  /** The lease, in ms. */
  leaseMs: DEFAULT_LEASE_MS,
  /** How long a controller waits until its agents are ready, in ms, by default. */
  readyMs: 15_000,
  /** What one Redis accepts by default (`maxclients`). */
  connections: 10_000,
  /** The most instances of one plan, and of one list. */
  planInstances: 10_000,
  listed: 100_000,
} as const

/** Something that stops a single engine from serving more agents. */
interface Limit {
  readonly agents: number
  readonly what: string
  readonly because: string
}

/** A fleet that could be measured in a run. */
type WholePoint = FleetPoint & { readonly active: Load }

/** What so many agents would need, by the figures of the fleets that were measured. CPU is in cores. */
export interface Estimate {
  /** The largest fleet that was measured: its figures are taken. */
  readonly from: WholePoint
  /** Bytes that each instance of a plan adds to what every instance of the run reads. */
  readonly planBytes: number
  readonly idle: Rates
  readonly active: Rates
  /** First what breaks first. */
  readonly limits: readonly Limit[]
  /** Agents of one shard, all in a run at once. */
  readonly perShard: number
  readonly shards: number
  readonly hosts: number
  /** Connections to engines, with a connection for each agent and with relays. */
  readonly connections: { readonly direct: number; readonly relayed: number }
  readonly engineGib: number
  readonly agentGib: number
  /** A list of all instances, in s. */
  readonly listS: number
  /** What the engine works for one wake-up of a shard, in s. */
  readonly wakeS: number
  /** From the publication of a run of a whole shard until it is in force there, in s. */
  readonly applyS: number
  /** What a run of all agents of a shard moves while it begins, in GB. */
  readonly startGb: number
}

interface Rates {
  readonly callsPerS: number
  readonly engineCores: number
  readonly agentCores: number
  readonly megabytesPerS: number
}

/** @returns `undefined` if there are fewer than two fleets to reckon from */
export function estimateOf(points: readonly FleetPoint[]): Estimate | undefined {
  const sorted = points.filter(isWhole).sort((a, b) => a.agents - b.agents)
  const [small, from] = [sorted[0], sorted.at(-1)]
  if (small === undefined || from === undefined || small === from) return undefined
  const { agents } = ASSUMED
  const planBytes = Math.max(0, (from.startBytes - small.startBytes) / (from.agents - small.agents))
  const rest = Math.max(0, from.startBytes - planBytes * from.agents)
  const startBytesOf = (count: number): number => count * (rest + planBytes * count)
  // Agents in a run poll five times a lease.
  const slower = from.leaseMs / ASSUMED.leaseMs
  const ratesOf = (load: Load, factor: number): Rates => ({
    callsPerS: load.callsPerS * factor * agents,
    engineCores: load.callsPerS * factor * agents * load.engineUsPerCall * 1e-6,
    agentCores: load.agentCpu * factor * agents,
    megabytesPerS: (load.bytesPerS * factor * agents) / 1e6,
  })
  const [idle, active] = [ratesOf(from.idle, 1), ratesOf(from.active, slower)]
  const within = (cores: number): number => (ASSUMED.engineCpu / cores) * agents
  const wakeUs = from.idle.engineUsPerCall
  const applyMs = median(from.appliedMs)
  const limits: Limit[] = [
    {
      agents: ASSUMED.connections / from.connections,
      what: 'connections to one Redis',
      because: `${shortOf(from.connections)} for each agent with ioredis 5, and \`maxclients\` is ${ASSUMED.connections.toLocaleString('en')} by default. ioredis 6 needs one, a relay one for its host`,
    },
    {
      agents: Math.sqrt((ASSUMED.readyMs / 1_000) * (ASSUMED.linkBytesPerS / planBytes)),
      what: 'the plan of a run over all of them',
      because: `every instance reads the list of all, ${Math.round(planBytes)} bytes for each, so a run moves the square of its size; it has ${ASSUMED.readyMs / 1_000} s for it on a link of 1 Gbit/s`,
    },
    {
      agents: ASSUMED.planInstances,
      what: 'instances of one plan',
      because: 'a plan names at most so many',
    },
    {
      agents: within(active.engineCores),
      what: 'CPU of the engine, all in a run',
      because: `${shortOf(from.active.callsPerS * slower)} calls per agent and second of ${Math.round(from.active.engineUsPerCall)} µs, at half of one core`,
    },
    {
      agents: ASSUMED.leaseMs / 5 / 1_000 / (wakeUs * 1e-6),
      what: 'a wake-up',
      because: `all agents of the fleet read at once, and a renewal that waits behind ${Math.round(wakeUs)} µs for each of them must not wait longer than a fifth of the lease`,
    },
    {
      agents: within(idle.engineCores),
      what: 'CPU of the engine, all idle',
      because: `${shortOf(from.idle.callsPerS)} calls per agent and second of ${Math.round(from.idle.engineUsPerCall)} µs, at half of one core`,
    },
    { agents: ASSUMED.listed, what: 'instances in one list', because: 'a controller reads at most so many' },
  ]
  limits.sort((a, b) => a.agents - b.agents)
  // With relays, connections are no limit.
  const perShard = Math.floor(
    Math.min(...limits.filter(({ what }) => !what.startsWith('connections')).map((limit) => limit.agents)),
  )
  const shards = Math.ceil(agents / perShard)
  const hosts = Math.ceil(agents / ASSUMED.perHost)
  return {
    from,
    planBytes,
    idle,
    active,
    limits,
    perShard,
    shards,
    hosts,
    connections: { direct: from.connections * agents, relayed: from.connections * hosts },
    engineGib: (from.engineKib * agents) / 1_048_576,
    agentGib: (from.agentKib * agents) / 1_048_576,
    listS: (median(from.listMs) / from.agents) * (agents / 1_000),
    wakeS: (perShard * wakeUs) / 1e6,
    applyS: ((applyMs / from.agents) * perShard) / 1_000,
    startGb: startBytesOf(perShard) / 1e9,
  }
}

const isWhole = (point: FleetPoint): point is WholePoint => point.active !== undefined && point.appliedMs.length > 0

const shortOf = (value: number): string => String(Number(value.toPrecision(2)))
