/** The program of a process with agents: each has its own connections, its own `createChaos` and its own `joinFleet`. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createChaos, target } from '@chaos/core'
import { joinFleet, redisAgentTransport, type AgentTransport, type FleetMember, type Snapshot } from '@chaos/fleet'
import { monotonicMs } from './monotonic.js'
import type { AgentCounts, AgentNews, AgentsConfig, Moment, Survey, Watch } from './agents-protocol.js'
import { say, serve } from './serve.js'
import { mute, type Speaker } from './speaker.js'

interface Joined {
  readonly agent: number
  readonly speaker: Speaker
  readonly member: FleetMember
}

const joined: Joined[] = []
const lines: string[] = []
const counts = { reads: 0, failedReads: 0, acks: 0, wakes: 0 }
const MAX_LINES = 1_000
/** How often the lateness of the event loop is looked at, in ms. */
const LOOK_MS = 10
let wallAheadMs = 0
/** When a call of the application was affected last. */
let brokenAtMs = 0
/** Who waits until each of these agents has begun a read after a time, and got its answer. */
const readers = new Set<{ readonly sinceMs: number; readonly agents: Set<number>; readonly resolve: () => void }>()
const lateness = monitorEventLoopDelay({ resolution: LOOK_MS })
lateness.enable()

function hasRead(agent: number, sentAtMs: number): void {
  for (const one of readers) {
    if (sentAtMs < one.sinceMs || !one.agents.delete(agent) || one.agents.size > 0) continue
    readers.delete(one)
    one.resolve()
  }
}

/** News are told once for each turn of the event loop: their times are those at which they happened. */
let news: AgentNews[] = []
function tell(one: AgentNews): void {
  if (news.length === 0)
    setImmediate(() => {
      say({ news })
      news = []
    })
  news.push(one)
}

/** An agent's transport that counts, and tells what it is asked to. */
function observed(
  transport: AgentTransport,
  agent: number,
  { isDeaf, remainingMs }: AgentsConfig,
  onReady: () => void,
): AgentTransport {
  let [isKnown, isAwake] = [false, isDeaf === true]
  const ready = (): void => {
    if (isKnown && isAwake) onReady()
  }
  const shown = (snapshot: Snapshot): Snapshot =>
    remainingMs === undefined || snapshot.run === undefined
      ? snapshot
      : { ...snapshot, run: { ...snapshot.run, remainingMs } }
  return {
    async read(instance) {
      counts.reads += 1
      const sentAtMs = monotonicMs()
      try {
        const snapshot = shown(await transport.read(instance))
        isKnown = true
        ready()
        hasRead(agent, sentAtMs)
        return snapshot
      } catch (error) {
        counts.failedReads += 1
        throw error
      }
    },
    ack(...args) {
      counts.acks += 1
      return transport.ack(...args)
    },
    onWake(listener) {
      if (isDeaf === true) return () => undefined
      return transport.onWake(() => {
        counts.wakes += 1
        // The first call says that the agent has subscribed.
        isAwake = true
        ready()
        listener()
      })
    },
    close: () => transport.close(),
  }
}

function joinOne(config: AgentsConfig, agent: number): Promise<string> {
  const { redis, fleet, service, keys, environment, idlePollMs, labels = {} } = config
  return new Promise((resolve) => {
    const speaker: Speaker = {
      say: () => 'whole',
      tell: (what: Moment) => tell({ id: member.id, what, atMs: monotonicMs() }),
    }
    const chaos = createChaos({
      environment,
      allowEnvironments: [environment],
      targets: { speaker: target(speaker, [mute]) },
    })
    const transport = redisAgentTransport({ fleet, ...redis })
    const member = joinFleet(chaos, {
      transport: observed(transport, agent, config, () => resolve(member.id)),
      fleet,
      service,
      keys,
      labels: { ...labels, agent: String(agent) },
      ...(idlePollMs !== undefined && { idlePollMs }),
      log: (line) => {
        lines.push(line)
        if (lines.length > MAX_LINES) lines.shift()
      },
      wallClock: () => Date.now() + wallAheadMs,
    })
    joined.push({ agent, speaker, member })
    if (config.waits === 'never') resolve(member.id)
  })
}

/** The application: it calls what may be broken, again and again. */
function callEvery(ms: number): void {
  setInterval(() => {
    for (const { speaker } of joined) if (speaker.say() === 'broken') brokenAtMs = monotonicMs()
  }, ms)
}

for (const what of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(what, (error: unknown) => lines.push(`${what}: ${String(error)}`))
// An application has something to do.
setInterval(() => undefined, 60_000)

serve({
  /** Resolves to the ids of the instances when all have read once and wait for calls. */
  async join(config: AgentsConfig): Promise<readonly string[]> {
    if (config.callEveryMs !== undefined) callEvery(config.callEveryMs)
    return Promise.all(Array.from({ length: config.count }, (_, index) => joinOne(config, config.from + index)))
  },
  /** Resolves when each agent has begun a read after the call, and got its answer. */
  readAgain: () =>
    new Promise<void>((resolve) => {
      readers.add({ sinceMs: monotonicMs(), agents: new Set(joined.map((one) => one.agent)), resolve })
    }),
  watch(): Watch {
    const lateMs = lateness.max / 1e6
    lateness.reset()
    return { lateMs, brokenAtMs }
  },
  leave: () => Promise.all(joined.map(({ member }) => member.leave())),
  survey: (): Survey => ({
    broken: joined.filter(({ speaker }) => speaker.say() === 'broken').map(({ member }) => member.id),
    states: joined.map(({ member }) => member.state),
  }),
  skewWallClock: (ms: number) => void (wallAheadMs += ms),
  lines: () => lines,
  counts: (): AgentCounts => {
    const { user, system } = process.cpuUsage()
    return { ...counts, cpuMs: (user + system) / 1_000, rssBytes: process.memoryUsage.rss(), atMs: monotonicMs() }
  },
})
