import type { FleetResults } from '../fleet/measure-fleets.js'
import { DEFAULT_LEASE_MS, KILLED_LEASE_MS, type FleetPoint } from '../fleet/point.js'
import { median } from '../runner/statistics.js'
import { ASSUMED, estimateOf, type Estimate } from './fleet-estimate.js'
import { logPlot } from './log-plot.js'

/** Which figures a plot has: its file in `docs/images`, and what it draws. */
export function fleetPlots({ points }: FleetResults): ReadonlyMap<string, string> {
  const curve = (name: string, of: (point: FleetPoint) => number) => ({
    name,
    points: points.map((point) => ({ x: point.agents, y: of(point) })),
  })
  return new Map([
    [
      'fleet-times.svg',
      logPlot({
        title: 'How fast a fleet reacts (medians)',
        x: 'agents, all in the run',
        y: 'ms until the last agent',
        series: [
          curve('controller killed', (point) => median(point.killedMs)),
          curve('run applied', (point) => median(point.appliedMs)),
          curve('run closed', (point) => median(point.closedMs)),
          curve('halt called', (point) => median(point.haltedMs)),
        ],
      }),
    ],
    [
      'fleet-cpu.svg',
      logPlot({
        title: 'What a fleet costs: CPU',
        x: 'agents',
        y: '% of one core',
        series: [
          curve('Redis, in a run', (point) => 100 * (point.active?.engineCpu ?? Number.NaN)),
          curve('Redis, idle', (point) => 100 * point.idle.engineCpu),
          curve('one agent, in a run', (point) => 100 * (point.active?.agentCpu ?? Number.NaN)),
          curve('one agent, idle', (point) => 100 * point.idle.agentCpu),
        ],
      }),
    ],
  ])
}

/** The measured part of the page about the cost of fleets. */
export function fleetTables(results: FleetResults): string {
  const { date, node, platform, cpus, redis, busyCores, points, failures, relay } = results
  const estimate = estimateOf(points)
  return [
    `Measured on ${date} with Node.js ${node} and Redis ${redis} on ${platform}, ${cpus}. ${machineState(busyCores)}`,
    ...failures.map(({ agents, why }) => `- ${count(agents)} agents were not measured: ${why.replaceAll('|', '\\|')}`),
    '',
    '### How fast it reacts',
    '',
    '![Times from 10 to 2,000 agents, on logarithmic axes](../images/fleet-times.svg)',
    '',
    `All agents are in the run. Its lease is ${count(DEFAULT_LEASE_MS)} ms, and ${count(KILLED_LEASE_MS)} ms where the controller is killed${longer(points)}. Each time ends with the last agent: median, and the slowest in brackets.`,
    '',
    table(
      [
        'agents',
        'applied, from publishing',
        'applied, from the call',
        'closed',
        'halted',
        'controller killed',
        'lost starts',
      ],
      points.map((point) => [
        count(point.agents),
        times(point.appliedMs),
        times(point.askedMs),
        times(point.closedMs),
        times(point.haltedMs),
        times(point.killedMs),
        count(point.lostStarts),
      ]),
    ),
    '',
    'A lost start is a run that ended with its lease before the fault was in force everywhere, because the machine was too busy. It was not repeated.',
    '',
    '### What it uses',
    '',
    '![CPU from 10 to 2,000 agents, on logarithmic axes](../images/fleet-cpu.svg)',
    '',
    'For one agent, idle and in a run. CPU is a share of one core.',
    '',
    table(
      [
        'agents',
        'CPU, idle',
        'CPU, in a run',
        'calls/s, idle',
        'calls/s, in a run',
        'bytes/s, idle',
        'bytes/s, in a run',
        'memory',
        'CPU of a start',
        'bytes of a start',
      ],
      points.map((point) => [
        count(point.agents),
        percent(point.idle.agentCpu),
        percent(point.active?.agentCpu),
        short(point.idle.callsPerS),
        short(point.active?.callsPerS),
        count(point.idle.bytesPerS),
        count(point.active?.bytesPerS),
        `${count(point.agentKib)} KiB`,
        `${short(point.startAgentMs)} ms`,
        count(point.startBytes),
      ]),
    ),
    '',
    'Of the Redis, and of the controller of a run.',
    '',
    table(
      [
        'agents',
        'CPU, idle',
        'CPU, in a run',
        'per call, idle',
        'per call, in a run',
        'memory per agent',
        'connections per agent',
        'CPU of a start',
        'controller, in a run',
        'a list',
      ],
      points.map((point) => [
        count(point.agents),
        percent(point.idle.engineCpu),
        percent(point.active?.engineCpu),
        `${count(point.idle.engineUsPerCall)} µs`,
        `${count(point.active?.engineUsPerCall)} µs`,
        `${count(point.engineKib)} KiB`,
        short(point.connections),
        `${count(point.startEngineMs)} ms`,
        percent(point.active?.controllerCpu),
        `${short(median(point.listMs))} ms`,
      ]),
    ),
    '',
    `By a relay, ${count(relay.processes)} processes of one host had ${relay.connections} ${relay.connections === 1 ? 'connection' : 'connections'} to Redis. A read took ${count(relay.engineUsPerRead)} µs of the CPU of Redis, and ${count(relay.relayUsPerRead)} µs of the relay and the process that asked, together.`,
    '',
    ...(estimate === undefined ? [] : estimateText(estimate)),
  ].join('\n')
}

function estimateText(estimate: Estimate): string[] {
  const { from, idle, active, limits, perShard, shards, hosts, connections } = estimate
  const first = limits[0]
  return [
    `### On paper: ${count(ASSUMED.agents)} agents`,
    '',
    `Nobody has run this. It is reckoned from the fleet of ${count(from.agents)} above, with the default lease of ${count(ASSUMED.leaseMs)} ms, ${ASSUMED.perHost} processes on a host, and half of one core for each Redis.`,
    '',
    ...(first === undefined
      ? []
      : [`**What breaks first** with one Redis: ${first.what}, at about ${count(rounded(first.agents))} agents.`, '']),
    table(
      ['limit of one Redis', 'agents', 'since'],
      limits.map(({ agents, what, because }) => [what, count(rounded(agents)), because]),
    ),
    '',
    `| ${count(ASSUMED.agents)} agents | all idle | all in a run |`,
    '| --- | --- | --- |',
    `| calls per second | ${count(idle.callsPerS)} | ${count(active.callsPerS)} |`,
    `| CPU of all Redis together, in cores | ${short(idle.engineCores)} | ${short(active.engineCores)} |`,
    `| CPU of all agents together, in cores | ${short(idle.agentCores)} | ${short(active.agentCores)} |`,
    `| network of all Redis together, in MB/s | ${short(idle.megabytesPerS)} | ${short(active.megabytesPerS)} |`,
    '',
    `- **Shards**: ${count(shards)} Redis, or ${count(shards)} primaries of a Redis Cluster, with ${count(rounded(perShard))} agents each. Each shard is a fleet with a name of its own: all keys of a fleet have one hash tag, \`{chaos:<fleet>}\`, so fleets spread over a cluster by their names.`,
    `- **Relays**: one for each of ${count(hosts)} hosts. They turn ${count(connections.direct)} connections into ${count(connections.relayed)}. They do not reduce the calls: each process reads its own lease.`,
    `- **Memory**: ${short(estimate.engineGib)} GiB in all Redis, ${short(estimate.agentGib)} GiB in all processes.`,
    `- **Time to apply** in a shard that is all in one run: ${short(estimate.applyS)} s, if it grows as here, where all agents share ${from.processes} processes on the cores of one machine; agents on machines of their own are faster. Shards begin at the same time. A start moves ${short(estimate.startGb)} GB in each of them, and a wake-up costs each Redis ${short(estimate.wakeS)} s of work.`,
    `- **A list** of all instances: ${short(estimate.listS)} s, spread over the shards.`,
    '',
    'Not built, and needed for it:',
    '',
    '- A controller over several shards: one choice, one verdict and one halt for all of them. Today it has one transport.',
    '- A plan that does not carry its list to everybody. The signed part would hold the hashes of parts of the list, and each instance would read its own part alone; what a start moves would then grow with the square root.',
    '- A wake-up that names whom it concerns, so that the others do not read.',
    '',
  ]
}

/** Which fleets had another lease. */
function longer(points: readonly FleetPoint[]): string {
  const long = points.filter(({ leaseMs }) => leaseMs !== DEFAULT_LEASE_MS)
  if (long.length === 0) return ''
  return `, and ${count(long[0]?.leaseMs)} ms with ${long.map(({ agents }) => count(agents)).join(', ')} agents, which the machine was too busy for otherwise`
}

const machineState = (busyCores: number): string =>
  busyCores < 0.2
    ? 'The machine did nothing else.'
    : `Other work kept ${short(busyCores)} cores of the machine busy before. The figures are those of a busy machine: do not rely on them, measure again.`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

const count = (value = Number.NaN): string => (Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en'))
const short = (value = Number.NaN): string =>
  Number.isNaN(value) || Math.abs(value) >= 100 ? count(value) : String(Number(value.toPrecision(2)))
const rounded = (value: number): number => Number(value.toPrecision(2))
/** A fleet of few agents uses less than what the same process uses by chance without them: then the difference may be below 0. */
const percent = (share = Number.NaN): string => (share <= 0 ? '≈ 0 %' : `${short(100 * share)} %`)
const times = (all: readonly number[]): string =>
  all.length === 0 ? '-' : `${count(median(all))} ms (${count(Math.max(...all))})`
