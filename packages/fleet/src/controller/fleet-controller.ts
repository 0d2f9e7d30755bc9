import {
  ChaosError,
  isChaosError,
  type ChaosController,
  type Clock,
  type FaultInfo,
  type InjectionState,
  type JournalEntry,
  type PortableInjectOptions,
  type TargetInfo,
} from '@chaos/core'
import { checkOptions, messageOf, option, optionsSchema, printable, systemClock } from '@chaos/core/authoring'
import { ownValue } from '../plan/blast-radius.js'
import { capsOptions, LEASE_MS, MAX_DURATION_MS, MAX_NAME } from '../plan/check-plan.js'
import { defined } from '../plan/defined.js'
import type { InstanceRecord } from '../plan/instance.js'
import type { SigningKey } from '../plan/key-files.js'
import type { Caps } from '../plan/plan.js'
import { runRefused } from '../plan/refusals.js'
import { signPlan } from '../plan/signature.js'
import { checkPolicy } from '../policy/check-policy.js'
import type { Policy } from '../policy/policy.js'
import type { ControllerTransport } from '../transports/transport.js'
import { followers } from './followers.js'
import { injectionStateOf, type Asked } from './injection-state.js'
import type { FleetJournal } from './journal.js'
import { planRun, type PlannedRun, type RunSettings } from './plan-run.js'
import { startRun, type Run } from './run.js'
import type { RunState } from './run-state.js'
import { runRecorder } from './run-recorder.js'

/** Options of {@link fleetController}. */
export interface FleetControllerOptions {
  readonly transport: ControllerTransport
  /** The name of the fleet. */
  readonly fleet: string
  /** The environment. Instances of others are not seen, and refuse the plans. */
  readonly environment: string
  /** The key that signs plans. Agents must have pinned its public key. */
  readonly key: Pick<SigningKey, 'keyId' | 'privateKey'>
  /** Checked before a plan is signed. Default: none; the policies of the agents decide. */
  readonly policy?: Policy | undefined
  /** Caps of every run. Default: none. */
  readonly caps?: Caps | undefined
  /** The lease of the runs, in ms: 1,000 to 60,000. Whatever dies, every instance is whole after it. Default 5,000. */
  readonly leaseMs?: number | undefined
  /** The share of the instances that must be ready, above 0 and at most 1. Default 1: all. */
  readonly quorum?: number | undefined
  /** The seed of the choice of instances, unless a target names one. Default `chaos`, so that a choice repeats. */
  readonly seed?: string | undefined
  /** Who runs it, for the audit log. */
  readonly by: string
  /** Why, for the audit log. Default `an experiment`. */
  readonly reason?: string | undefined
  /** Records what happens. Default: none but the audit log of the engine. */
  readonly journal?: FleetJournal | undefined
  /** The longest wait for the agents to be ready, in ms. Default 15,000. */
  readonly readyWithinMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** Inject options of a fleet. */
export interface FleetInjectOptions extends PortableInjectOptions {
  /** When the fault ends besides. A run always ends with its controller, so `connection` changes nothing, and `lease` is refused. */
  readonly hold?: 'connection' | 'lease'
}

/** A controller whose targets are those of a fleet, and whose injections are runs over it. */
export interface FleetController extends ChaosController {
  /** The runs of this controller: those in force, and the last 100 that ended. Runs of others are not among them. */
  injections(): Promise<readonly InjectionState[]>
  /**
   * Makes the plan of a run, checked like one, with the exact instances. Nothing is written.
   *
   * @throws ChaosError The errors of `check`.
   */
  plan(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: FleetInjectOptions,
  ): Promise<PlannedRun>
  inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: FleetInjectOptions,
  ): Promise<InjectionState>
  check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: FleetInjectOptions,
  ): Promise<void>
  /** What each instance did in the runs of this controller, oldest first: those in force, and the last 100 that ended. */
  runs(): readonly RunState[]
  /** Resolves when the controller has been closed. Never rejects. */
  readonly closed: Promise<void>
  /** Ends the runs of this controller, waits until every instance is whole, and disconnects. */
  close(): Promise<void>
}

const optionsOfController = optionsSchema({
  fleet: option.text('The name of the fleet.', MAX_NAME),
  environment: option.text('The environment.', MAX_NAME),
  caps: option.optional(optionsSchema(capsOptions), {}),
  leaseMs: option.optional(
    option.number('The lease of the runs, in ms.', LEASE_MS.min, LEASE_MS.max, 'a number of ms'),
    LEASE_MS.default,
  ),
  quorum: option.optional(option.number('The share of the instances that must be ready.', 1e-9, 1), 1),
  seed: option.optional(option.text('The seed of the choice of instances.', MAX_NAME), 'chaos'),
  by: option.text('Who runs it.', MAX_NAME),
  reason: option.optional(option.text('Why.', 1_000), 'an experiment'),
  readyWithinMs: option.optional(option.durationMs('The longest wait for the agents to be ready, in ms.'), 15_000),
})

/**
 * Checks what all runs of a controller have in common, and fills in the defaults.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function settingsOfController(
  given: Omit<FleetControllerOptions, 'transport' | 'key' | 'policy' | 'journal' | 'clock'>,
): RunSettings & { readonly readyWithinMs: number } {
  const checked = checkOptions(optionsOfController, given, 'fleetController')
  return { ...checked, caps: defined(checked.caps) }
}

/** The most ended runs that are remembered. */
const MAX_ENDED = 100

interface Held {
  readonly asked: Asked
  readonly run: Run
}

/**
 * Makes the controller of a fleet. Experiments run on it as on the controller of one process.
 *
 * A target is `db`, or `db[service=journal,zone=eu-1,share=0.33,cap=5,seed=a]`. The `leaseMs` of an injection is the longest time in
 * force; the lease of the run, which is renewed while this process lives, is an option here. The times of a state are those at
 * which this controller saw it, at most two fifths of the lease late. The landing is reckoned from what agents say, by their own
 * clocks, about the time since.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
 */
export function fleetController(options: FleetControllerOptions): FleetController {
  const { transport, key, policy, journal, clock = systemClock, ...given } = options
  const { readyWithinMs, ...settings } = settingsOfController(given)
  const { fleet, environment, seed, by } = settings
  const held = new Map<string, Held>()
  const listeners = followers()
  let isClosed = false
  let sayClosed: () => void = () => undefined
  const closed = new Promise<void>((resolve) => (sayClosed = resolve))

  async function list(): Promise<readonly InstanceRecord[]> {
    return (await transport.list()).filter((instance) => instance.environment === environment)
  }
  const stateOf = ({ asked, run }: Held): InjectionState => injectionStateOf(asked, run.state)

  async function planned(
    target: string,
    fault: string,
    faultOptions: Readonly<Record<string, unknown>> = {},
    { hold, ...how }: FleetInjectOptions = {},
  ) {
    if (hold === 'lease')
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'A run of a fleet ends with its controller, so `hold` cannot be `lease`. Leave it out, and keep this process running.',
      )
    if (isClosed) throw runRefused('The controller is closed. Connect again.')
    const records = await list()
    const made = planRun(records, { target, fault, options: faultOptions, how }, settings)
    const why =
      policy === undefined ? undefined : checkPolicy(policy, { plan: made.plan, keyId: key.keyId }, clock.now())
    if (why !== undefined) throw runRefused(why)
    // Signing also finds a plan that is too long, and a key that cannot sign.
    return { ...made, records, signed: signPlan(made.plan, key.privateKey, key.keyId) }
  }

  /** The id that was asked for, or the first free one. */
  function idFor(target: string, fault: string, { id }: PortableInjectOptions): string {
    const isTaken = (name: string): boolean => {
      const known = held.get(name)
      return known !== undefined && known.run.state.status !== 'ended'
    }
    if (id === undefined) {
      let number = 1
      while (isTaken(`${fault}@${target}#${number}`)) number += 1
      return `${fault}@${target}#${number}`
    }
    if (isTaken(id))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `The injection id "${printable(id)}" is in use. Wait until that injection has ended, or choose another id.`,
      )
    return id
  }

  function remember(one: Held): void {
    // A name that is used again belongs to the newer run, at the end of the list.
    held.delete(one.asked.id)
    held.set(one.asked.id, one)
    const ended = [...held.values()].filter(({ run }) => run.state.status === 'ended')
    for (const { asked } of ended.slice(0, -MAX_ENDED)) held.delete(asked.id)
  }

  async function inject(
    target: string,
    fault: string,
    faultOptions?: Readonly<Record<string, unknown>>,
    how: FleetInjectOptions = {},
  ): Promise<InjectionState> {
    const { plan, kind, records, signed } = await planned(target, fault, faultOptions, how)
    const asked: Asked = { id: idFor(plan.target, plan.fault, how), target, kind }
    const recorder = runRecorder({ asked, plan, keyId: key.keyId, by, note, journal, emit: listeners.emit, clock })
    const run = startRun({
      transport,
      clock,
      plan,
      signed,
      fleet: records,
      isInstant: kind === 'instant',
      readyWithinMs,
      onEvent: (event) => {
        // What cannot be recorded must not go on.
        if (!recorder.take(event)) void run.stop()
      },
    })
    remember({ asked, run })
    const state = await run.started
    return injectionStateOf(asked, kind === 'instant' ? await run.done : state)
  }

  function runOf(id: string): Held {
    const found = held.get(id)
    if (found !== undefined) return found
    throw new ChaosError('CHAOS_UNKNOWN_INJECTION', `This controller has no injection "${printable(id)}".`)
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- errors arrive as a rejection, as from `inject`
  async function renew(id: string): Promise<InjectionState> {
    const { run } = runOf(id)
    if (run.state.status === 'ended')
      throw new ChaosError(
        'CHAOS_INJECTION_ENDED',
        `The injection ${printable(id)} has ended, so its lease cannot be renewed. Inject the fault again.`,
      )
    throw runRefused(
      `The run ${printable(id)} cannot be renewed: its length is part of the signed plan, and the lease of its instances is renewed without being asked. Inject the fault again with a longer \`leaseMs\`.`,
    )
  }

  async function stop(id: string): Promise<InjectionState> {
    const found = runOf(id)
    await found.run.stop()
    return stateOf(found)
  }

  /** Ends the runs of this controller. @returns their final states */
  async function stopOwn(): Promise<readonly InjectionState[]> {
    const inForce = [...held.values()].filter(({ run }) => run.state.status !== 'ended')
    // All are marked as ending before the first is waited for.
    await Promise.all(inForce.map(({ run }) => run.stop()))
    return inForce.map(stateOf)
  }

  /** Entries for the audit log that are on their way. */
  const notes = new Set<Promise<void>>()
  function note(...entry: Parameters<ControllerTransport['note']>): void {
    // The journal has it too, and a run must not wait for its audit.
    const sent: Promise<void> = transport
      .note(...entry)
      .catch(() => undefined)
      .finally(() => notes.delete(sent))
    notes.add(sent)
  }

  async function close(): Promise<void> {
    isClosed = true
    await stopOwn()
    await Promise.all(notes)
    await transport.disconnect().catch(() => undefined)
    sayClosed()
  }

  let closing: Promise<void> | undefined
  return {
    closed,
    async info() {
      const { isPermitted, halt } = await transport.status()
      const refusal =
        halt === undefined
          ? 'Runs are not permitted now. An operator opens a window with `chaos fleet open --for 1h --reason "…"`.'
          : `Somebody has called a halt: ${printable(halt)}. An operator lifts it with \`chaos fleet open --for 1h --reason "…"\`.`
      return {
        environment,
        refusal: isPermitted ? undefined : refusal,
        seed,
        maxLeaseMs: MAX_DURATION_MS,
        now: clock.now(),
      }
    },
    async targets() {
      const faults = new Map<string, Set<string>>()
      for (const { targets } of await list())
        for (const name of Object.keys(targets)) {
          const known = faults.get(name) ?? new Set()
          for (const fault of ownValue(targets, name) ?? []) known.add(fault)
          faults.set(name, known)
        }
      return [...faults].map(([name, names]): TargetInfo => ({ name, faults: [...names] }))
    },
    async faults() {
      const infos = new Map<string, FaultInfo>()
      for (const { targets, instant = [] } of await list())
        for (const name of Object.values(targets).flat())
          if (!infos.has(name)) infos.set(name, infoOf(name, instant.includes(name), fleet))
      return [...infos.values()]
    },
    injections: () => Promise.resolve([...held.values()].map(stateOf)),
    runs: () => [...held.values()].map(({ run }) => run.state),
    inject,
    async check(...args) {
      await planned(...args)
    },
    async plan(...args) {
      const { plan, selection, kind } = await planned(...args)
      return { plan, selection, kind }
    },
    renew,
    stop,
    async stopAll() {
      // Own runs end first: the order to halt may take as long as the engine does.
      const stopping = stopOwn()
      const failure: unknown = await transport.halt(`stopped by ${by}`, by).then(
        () => undefined,
        (error: unknown) => error,
      )
      const stopped = await stopping
      // A credential that may not call a halt stops what is its own.
      if (failure !== undefined && !isChaosError(failure, 'CHAOS_FLEET_FORBIDDEN'))
        throw new ChaosError(
          'CHAOS_ROLLBACK_FAILED',
          `The runs of this controller have ended, but the halt for all others did not arrive: ${messageOf(failure)}. Call it with \`chaos fleet halt\`.`,
          { cause: failure },
        )
      return { stopped }
    },
    follow: (listener: (entry: JournalEntry) => void) => listeners.follow(listener),
    close: () => (closing ??= close()),
  }
}

/** What is known of a fault without its catalog, which stays in the processes: they check its options. */
function infoOf(name: string, isInstant: boolean, fleet: string): FaultInfo {
  return {
    name,
    kind: isInstant ? 'instant' : 'standing',
    summary: `A fault of the fleet ${fleet}. Its instances check the options.`,
    options: { type: 'object' },
  }
}
