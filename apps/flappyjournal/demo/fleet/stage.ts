import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { redisControllerTransport, writeKeyFiles, type ControllerTransport, type Role } from '@chaos/fleet/controller'
import { startEvaluator } from '@chaos/mini-prometheus'
import { appFolder } from '../../src/config.js'
import { startServerProcess, type ServerProcess } from '../server-process.js'
import { agentEventIn, type AgentEvent } from './agent-events.js'
import { startFront, type Front } from './front.js'
import { startFleetRedis, type FleetRedis } from './own-redis.js'

const FLEET = 'journal'
/** The environment of the servers, which plans must name. */
const ENVIRONMENT = 'development'
/** How long the demo's own look at the fleet may take, in ms. On a slow machine it waits, and measures later. */
const LOOK_WITHIN_MS = 20_000
const SERVERS = ['journal-1', 'journal-2', 'journal-3']

/** A journal server that has joined the fleet. */
export interface Member {
  readonly name: string
  readonly process: ServerProcess
  /** The id of its instance in the fleet. */
  readonly instance: string
  /** What its agent has said, oldest first. */
  readonly events: readonly AgentEvent[]
}

/** Everything that the demo runs on. */
export interface Stage {
  readonly redis: FleetRedis
  /** The file with the private key that signs plans. The servers know the public one. */
  readonly keyFile: string
  readonly members: readonly Member[]
  readonly front: Front
  /** The monitoring of the front. */
  readonly alertsUrl: string
  /** The URL of the fleet, with the credential of a role. */
  urlOf(role: Role): string
  /** The demo's own look at the fleet, with the credential of an operator. */
  readonly operator: ControllerTransport
}

/** Where a stage is built, and how it is taken down. */
export interface StageOptions {
  /** A private folder. */
  readonly folder: string
  /** Where the output of the servers goes. */
  readonly logs: string
  /** Receives what takes down each part, as soon as the part is there. */
  readonly onCleanup: (cleanup: () => Promise<unknown>) => void
  readonly signal: AbortSignal
}

/** Starts Redis, three servers, the load on them and its monitoring. */
export async function startStage({ folder, logs, onCleanup, signal }: StageOptions): Promise<Stage> {
  const redis = await startFleetRedis(FLEET, folder)
  onCleanup(() => redis.stop())
  const keyFile = join(folder, 'demo.pem')
  writeKeyFiles(keyFile)

  const secret = randomBytes(32).toString('hex')
  const env = {
    JWT_SECRET: secret,
    CHAOS_SOCKET_DIR: join(folder, 'sockets'),
    CHAOS_TOKEN: randomBytes(24).toString('hex'),
    CHAOS_FLEET: FLEET,
    CHAOS_FLEET_REDIS: redis.urlOf('agent'),
    CHAOS_FLEET_PUBLIC_KEY: `${keyFile}.pub`,
  }
  const starting = await Promise.allSettled(
    SERVERS.map(async (name) => {
      const member = await startMember(name, env, join(logs, `${name}.log`))
      onCleanup(() => member.process.stop())
      return member
    }),
  )
  const members = starting.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
  signal.throwIfAborted()

  const front = await startFront({
    servers: members.map(({ name, process }) => ({ name, url: process.url })),
    secret,
  })
  onCleanup(() => front.stop())
  const evaluator = startEvaluator(
    {
      job: 'front',
      metricsUrl: front.metricsUrl,
      ruleFiles: [`${appFolder}rules/fleet.demo.yml`],
      intervalMs: 500,
      webhookUrl: undefined,
    },
    { onChange: () => undefined },
  )
  onCleanup(() => evaluator.close())
  const alertsUrl = await evaluator.listening

  const operator = redisControllerTransport({ url: redis.urlOf('operator'), fleet: FLEET, timeoutMs: LOOK_WITHIN_MS })
  onCleanup(() => operator.disconnect())
  return {
    redis,
    keyFile,
    members,
    front,
    alertsUrl,
    operator,
    urlOf: (role) => `${redis.urlOf(role)}?fleet=${FLEET}&environment=${ENVIRONMENT}`,
  }
}

async function startMember(name: string, env: NodeJS.ProcessEnv, logFile: string): Promise<Member> {
  const events: AgentEvent[] = []
  let instance: string | undefined
  const process = await startServerProcess(env, logFile, (line) => {
    const event = agentEventIn(line)
    if (event !== undefined) events.push(event)
    if (line.startsWith('{"event":"fleet joined"'))
      instance = (JSON.parse(line) as { readonly instance: string }).instance
  })
  // It joins before it listens.
  if (instance === undefined) throw new Error(`Expected ${name} to join the fleet. Its output is in ${logFile}.`)
  return { name, process, instance, events }
}
