import { ChaosError, type Chaos, type ChaosController, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, printable, systemClock } from '@chaos/core/authoring'
import { capsOptions, MAX_NAME } from '../plan/check-plan.js'
import { defined } from '../plan/defined.js'
import type { InstanceRecord, InstanceState } from '../plan/instance.js'
import type { Caps } from '../plan/plan.js'
import type { PinnedKeys } from '../plan/signature.js'
import { parsePolicy, type Policy } from '../policy/policy.js'
import { redisAgentTransport } from '../transports/redis/agent.js'
import type { RedisTransportOptions } from '../transports/redis/options.js'
import type { AgentTransport } from '../transports/transport.js'
import { instanceStateOf } from './agent-state.js'
import { startAgent } from './agent.js'
import { applyPlan } from './apply-plan.js'
import { checkRun, checkWindow } from './check-run.js'
import { identityOf, sdkVersion } from './identity.js'
import { onTermination } from './shutdown.js'

/** How a process joins a fleet. */
export interface JoinFleetOptions {
  /** The Redis of the fleet: its URL, or the parts of it. The connection is one of its own, which no fault affects. */
  readonly redis?: string | Omit<RedisTransportOptions, 'fleet'> | undefined
  /** Another way to the engine than `redis`: a relay on this host, or an engine in memory. */
  readonly transport?: AgentTransport | undefined
  /** The fleet. Plans of other fleets are refused. */
  readonly fleet: string
  /** The service that this process is an instance of. */
  readonly service: string
  /** The public keys of those who may run experiments here, by key id. Plans of all others are refused. */
  readonly keys: PinnedKeys
  /** What targets select by. Labels of the host and of the pod are added. */
  readonly labels?: Readonly<Record<string, string>>
  /** The environment that plans must name. Default: the environment of the controller. */
  readonly environment?: string
  /** Who may break what, where and when. Default: every plan with a good signature that keeps the caps. */
  readonly policy?: Policy
  /** How much of the fleet a plan may affect. Default: what the plan itself says. */
  readonly caps?: Caps
  /** The time between two reads while there is no run, in ms: 100 to 60,000. Default 5,000. */
  readonly idlePollMs?: number
  /** Whether SIGTERM and SIGINT end every injection before the handlers of the application run. Default `true`. */
  readonly handleSignals?: boolean
  /** Receives one line for each outage of the engine, and for each begin and end of a fault. Default: a warning of the process. */
  readonly log?: (line: string) => void
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
  /** The wall clock, in ms since the epoch. Default: the real one. */
  readonly wallClock?: () => number
}

/** A process that has joined a fleet. */
export interface FleetMember {
  /** The id of this instance. A process that joins again has another one. */
  readonly id: string
  readonly state: InstanceState
  /** Ends what a run does in this process, for good. The process takes part in later runs. */
  stop(): void
  /** Ends what a run does in this process before it returns, and leaves the fleet. Resolves when everything is undone. Never rejects. */
  leave(): Promise<void>
}

const isAny = (): boolean => true
const name = (description: string) => option.text(description, MAX_NAME)

const joinSchema = optionsSchema({
  redis: option.optional(
    option.either(
      option.text('The URL of Redis.', 4_096),
      option.live<Omit<RedisTransportOptions, 'fleet'>>(isAny, 'options of a connection', 'The parts of the URL.'),
      'a URL, or options of a connection',
    ),
  ),
  transport: option.optional(
    option.live<AgentTransport>((value) => 'read' in value && 'onWake' in value, 'a transport', 'The engine.'),
  ),
  fleet: name('The fleet.'),
  service: name('The service.'),
  keys: option.live<PinnedKeys>(isAny, 'an object of public keys by key id', 'The public keys.'),
  labels: option.optional(option.object('Labels by name.')),
  environment: option.optional(name('The environment.')),
  policy: option.optional(option.live<Policy>(isAny, 'a policy', 'The policy.')),
  caps: option.optional(optionsSchema(capsOptions)),
  idlePollMs: option.optional(option.number('Between two reads, in ms.', 100, 60_000, 'a number of ms'), 5_000),
  handleSignals: option.optional(option.flag('Whether SIGTERM and SIGINT end every injection.'), true),
  log: option.optional(option.func<(line: string) => void>('Receives lines.')),
  clock: option.optional(option.live<Clock>(isAny, 'a clock', 'The source of time.')),
  wallClock: option.optional(option.func<() => number>('The wall clock.')),
})

/** @throws ChaosError `CHAOS_INVALID_OPTION` if a label is not a text */
function checkedLabels(given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  for (const [label, value] of Object.entries(given))
    if (label.length > MAX_NAME || typeof value !== 'string' || value.length > MAX_NAME)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected the label "${printable(label)}" to be a text of at most ${MAX_NAME} characters, got \`${printable(value)}\`.`,
      )
  return given as Readonly<Record<string, string>>
}

/** @throws ChaosError `CHAOS_INVALID_OPTION` unless there is one way to the engine */
function transportOf({
  fleet,
  redis,
  transport,
}: Pick<JoinFleetOptions, 'fleet' | 'redis' | 'transport'>): AgentTransport {
  if (redis !== undefined && transport === undefined)
    return redisAgentTransport(typeof redis === 'string' ? { url: redis, fleet } : { ...redis, fleet })
  if (redis === undefined && transport !== undefined) return transport
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'A process joins a fleet by `redis` or by `transport`. Pass one of them.',
  )
}

// A copy: fake timers replace the member.
const { now: wallTime } = Date

/**
 * Joins a fleet with the targets and faults of a controller of this process. From then on, whoever holds a key that is
 * pinned here can run experiments on it, as far as the guard of the controller, the policy and the caps allow.
 *
 * Nothing of it affects the application while no run does: errors of the engine are logged once per outage and never thrown,
 * and no timer keeps the process alive. A fault of a run ends by itself within the lease, whatever dies.
 *
 * @param chaos What `createChaos` returned, or its controller.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option or policy.
 */
export function joinFleet(chaos: Chaos | ChaosController, options: JoinFleetOptions): FleetMember {
  const given = checkOptions(joinSchema, options, 'joinFleet')
  const { fleet, service, keys, idlePollMs, handleSignals, clock = systemClock, wallClock = wallTime } = given
  const transport = transportOf(given)
  const { log = (line: string) => process.emitWarning(line, 'ChaosFleetWarning') } = given
  const controller = 'controller' in chaos ? chaos.controller : chaos
  const { id, labels: ownLabels } = identityOf()
  const labels = { ...ownLabels, ...checkedLabels(given.labels ?? {}) }
  const acceptance = {
    fleet,
    keys,
    caps: given.caps === undefined ? {} : defined(given.caps),
    policy: given.policy === undefined ? undefined : parsePolicy(given.policy),
  }
  const sdk = sdkVersion()
  const joinedAt = wallClock()

  async function instance(): Promise<Omit<InstanceRecord, 'state'>> {
    const [info, targets, faults] = await Promise.all([controller.info(), controller.targets(), controller.faults()])
    return {
      id,
      service,
      // No plan names an empty environment, and no controller injects without one.
      environment: given.environment ?? info.environment ?? '',
      labels,
      targets: Object.fromEntries(targets.map((one) => [one.name, one.faults])),
      instant: faults.filter(({ kind }) => kind === 'instant').map((fault) => fault.name),
      joinedAt,
      sdk,
    }
  }

  /** Whose key has signed the plan that was checked last. */
  let signedBy = ''
  const agent = startAgent({
    id,
    transport,
    instance,
    clock,
    wallClock,
    seed: id,
    idlePollMs,
    log,
    async check(signed, runId) {
      const plan = await checkRun({ signed, runId }, await instance(), controller, acceptance, wallClock())
      signedBy = signed.keyId
      return plan
    },
    apply(plan, deadlineMs) {
      // A window may have closed while others made ready: whoever holds a run in that phase must not choose its time.
      checkWindow(plan, signedBy, acceptance, wallClock())
      return applyPlan(controller, clock, plan, deadlineMs)
    },
  })
  /** Leaves, and takes the record of the instance back: no run must wait for a process that is gone. */
  async function leave(): Promise<void> {
    await agent.shutdown()
    await transport.close().catch(() => undefined)
  }
  const ignoreSignal = handleSignals
    ? // Both mark what they end before they return.
      onTermination(clock, () => Promise.allSettled([leave(), controller.stopAll()]))
    : () => undefined

  return {
    id,
    get state() {
      return instanceStateOf(agent.state)
    },
    stop: () => agent.stop(),
    leave() {
      ignoreSignal()
      return leave()
    },
  }
}
