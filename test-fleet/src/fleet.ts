import { makeKey, redisControllerTransport, type ControllerTransport, type SigningKey } from '@chaos/fleet/controller'
import { startAgentProcess, type AgentProcess } from './agents.js'
import { startController, type ControllerProcess } from './controller.js'
import type { Engine } from './engine.js'
import type { Prefix } from './program.js'
import type { AgentsConfig, Watch } from './programs/agents-protocol.js'
import type { ControllerConfig } from './programs/controller-protocol.js'
import { timeline, type Timeline } from './timeline.js'

/** What agents of a fleet are, where it is not as usual. */
export interface AgentsOptions extends Partial<Omit<AgentsConfig, 'count' | 'from'>> {
  /** How many agents. */
  readonly agents: number
  /** Over how many processes they are spread. Default 1. */
  readonly processes?: number
  readonly prefix?: Prefix
}

/** What a controller of a fleet is, where it is not as usual. */
export interface ControllerOptions extends Partial<ControllerConfig> {
  readonly prefix?: Prefix
}

/** A fleet of real processes on one Redis. */
export interface Fleet {
  readonly name: string
  readonly key: SigningKey
  /** What happened in the processes of the agents. */
  readonly events: Timeline
  readonly processes: readonly AgentProcess[]
  /** A third party in this process: it permits, halts, and looks. */
  readonly operator: ControllerTransport
  /** Adds processes with agents. Resolves to those that were added. */
  addAgents(options: AgentsOptions): Promise<readonly AgentProcess[]>
  /** Starts a process with a controller. It is killed with the fleet at the latest. */
  addController(options?: ControllerOptions): Promise<ControllerProcess>
  /** The instances whose calls are affected right now, of the processes that are alive. */
  broken(): Promise<readonly string[]>
  /** Resolves when each agent has begun a read from now on, and got its answer. */
  readAgain(): Promise<void>
  /** What was seen in the processes of these instances. Default: of all. */
  watch(ids?: readonly string[]): Promise<Watch>
  /** Resolves when all agents wait for calls. */
  awake(engine: Pick<Engine, 'witness'>): Promise<void>
  /** What the agents have told their applications. */
  lines(): Promise<readonly string[]>
  /** Kills all processes of the fleet, and leaves the Redis. */
  stop(): Promise<void>
}

const ENVIRONMENT = 'test'
const HOUR = 3_600_000
/** How often it is asked who waits for calls, in ms. */
const LOOK_MS = 20
let fleets = 0

/** Makes a fleet without agents, in which runs are permitted for an hour. */
export async function makeFleet(engine: Pick<Engine, 'port'>): Promise<Fleet> {
  fleets += 1
  const name = `lab-${process.pid}-${fleets}`
  const key = makeKey('lab')
  const events = timeline()
  const processes: AgentProcess[] = []
  const controllers: ControllerProcess[] = []
  const redis = { host: '127.0.0.1', port: engine.port }
  const operator = redisControllerTransport({ fleet: name, ...redis })
  await operator.permit(HOUR, 'operator', 'a test')
  let from = 0

  return {
    name,
    key,
    events,
    processes,
    operator,
    async addAgents({ agents, processes: count = 1, prefix, ...given }) {
      const shares = Array.from({ length: count }, (_, index) => Math.floor((agents + index) / count))
      const started = shares.map((share) => {
        const config: AgentsConfig = {
          redis,
          fleet: name,
          service: 'lab',
          environment: ENVIRONMENT,
          keys: { [key.keyId]: key.publicKey },
          ...given,
          count: share,
          from,
        }
        from += share
        return startAgentProcess(events, config, prefix)
      })
      const added = await Promise.all(started)
      processes.push(...added)
      for (const one of added) void one.ended.then(() => processes.splice(processes.indexOf(one), 1))
      return added
    },
    async addController({ prefix, ...given } = {}) {
      const { keyId, privateKey } = key
      const config = { redis, fleet: name, environment: ENVIRONMENT, key: { keyId, privateKey }, by: 'lab', ...given }
      const controller = await startController(config, prefix)
      controllers.push(controller)
      return controller
    },
    async broken() {
      const surveys = await Promise.all(processes.map((one) => one.survey()))
      return surveys.flatMap((one) => one.broken)
    },
    async readAgain() {
      await Promise.all(processes.map((one) => one.readAgain()))
    },
    async watch(among) {
      const of = processes.filter(({ ids }) => among === undefined || ids.some((id) => among.includes(id)))
      const all = await Promise.all(of.map((one) => one.watch()))
      const most = (numbers: readonly number[]): number => Math.max(0, ...numbers)
      return {
        lateMs: most(all.map(({ lateMs }) => lateMs)),
        brokenAtMs: most(all.map(({ brokenAtMs }) => brokenAtMs)),
      }
    },
    async awake({ witness }) {
      const channel = `{chaos:${name}}:wake`
      const agents = processes.reduce((sum, { ids }) => sum + ids.length, 0)
      const listening = async (): Promise<number> => Number((await witness.pubsub('NUMSUB', channel))[1])
      while ((await listening()) < agents) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    },
    async lines() {
      return (await Promise.all(processes.map((one) => one.lines()))).flat()
    },
    async stop() {
      await operator.disconnect()
      await Promise.all([...processes, ...controllers].map((one) => one.kill()))
    },
  }
}
