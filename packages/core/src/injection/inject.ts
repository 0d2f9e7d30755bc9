import { systemClock, type Clock } from '../basics/clock.js'
import { endIfDisabled } from '../process/disabled-watch.js'
import { ChaosError } from '../basics/errors.js'
import type { Fault } from '../fault/fault.js'
import { bareRefusal } from '../process/guard.js'
import { DEFAULT_LEASE_MS, injectSchema, type InjectOptions } from './inject-options.js'
import { InjectionRecord } from './injection-record.js'
import type { Injection } from './injection.js'
import { JournalWriter, type Follow, type Journal } from './journal.js'
import { checkOptions } from '../fault/check-options.js'
import { shown } from '../fault/data.js'
import { processState } from '../process/process-state.js'
import { drawSeed } from '../blast-radius/random.js'
import { printable } from '../basics/text.js'

/** What a controller decides for its injections, and a bare `inject` by itself. */
export interface Surroundings {
  readonly targetName: string
  readonly seed: string | undefined
  readonly maxLeaseMs: number
  readonly clock: Clock
  readonly journal: JournalWriter
  readonly refusal: () => ChaosError | undefined
  /** The number of the next injection of this name: the k of `fault@target#k`. */
  readonly count: (name: string) => number
  readonly onArming: (injection: InjectionRecord) => void
}

const bareJournal = new JournalWriter()

/** What happened to injections made by {@link inject} and {@link withFault} in this process. A controller keeps its own. */
export const journal: Journal & { readonly follow: Follow } = bareJournal

/** How a fault is put in force without a controller. */
export interface BareInjectOptions extends InjectOptions {
  /** Where time comes from. Default: the real clock. */
  readonly clock?: Clock
  /** The target's name in the injection's id. Default: the name of its class or function. */
  readonly targetName?: string
}

/**
 * Puts a fault in force.
 *
 * @returns When a standing fault is in force, or an instant one is done.
 * @throws ChaosError `CHAOS_DISABLED`, `CHAOS_ENVIRONMENT_REFUSED`, `CHAOS_INVALID_OPTION`, `CHAOS_TARGET_MISMATCH`, `CHAOS_TARGET_SEALED`,
 *   `CHAOS_TOO_MANY_REQUESTS`, `CHAOS_INJECTION_ENDED`, `CHAOS_ROLLBACK_FAILED`, and whatever the fault itself throws
 */
export async function inject<Target extends object>(
  fault: Fault<Target>,
  target: Target,
  { clock = systemClock, targetName, ...how }: BareInjectOptions = {},
): Promise<Injection> {
  return armFault(fault, target, how, {
    targetName: printable(targetName ?? nameOf(target), { max: MAX_TARGET_NAME }),
    seed: undefined,
    maxLeaseMs: Number.POSITIVE_INFINITY,
    clock,
    journal: bareJournal,
    refusal: bareRefusal,
    count: (name) => countOn(target, name),
    onArming: () => undefined,
  })
}

/** The most injections that may be in force in one process. Each may lie on the same call, and a stack holds about 3,000 of them. */
export const MAX_IN_FORCE = 1_024

/** How a fault is put in force, once it is checked. */
export interface CheckedHow extends InjectOptions {
  readonly leaseMs: number
}

/** Everything that is checked before a fault is armed, and nothing else: nothing is touched, counted or written down. */
export function checkArming(
  fault: Fault,
  target: unknown,
  given: InjectOptions,
  { refusal, maxLeaseMs }: Pick<Surroundings, 'refusal' | 'maxLeaseMs'>,
): CheckedHow {
  endIfDisabled()
  const refused = refusal()
  if (refused !== undefined) throw refused
  if (processState().live.size >= MAX_IN_FORCE) {
    throw new ChaosError(
      'CHAOS_TOO_MANY_REQUESTS',
      `${MAX_IN_FORCE} injections are in force in this process, which is the most that it takes. Stop some first.`,
    )
  }
  assertFault(fault)
  const how = checkOptions(injectSchema, given, 'inject') as InjectOptions
  const { leaseMs = Math.min(DEFAULT_LEASE_MS, maxLeaseMs) } = how
  if (leaseMs > maxLeaseMs) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`leaseMs\` to be at most ${maxLeaseMs} (the controller's \`maxLeaseMs\`), got \`${leaseMs}\`.`,
    )
  }
  if (Object(target) !== target || !fault.target.accepts(target)) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected the target of ${fault.name} to be ${fault.target.expects}, got ${shown(target)}.`,
    )
  }
  if (how.signal?.aborted === true) {
    throw new ChaosError(
      'CHAOS_INJECTION_ENDED',
      `Expected a signal that has not aborted yet for ${fault.name}; nothing was injected.`,
      { cause: how.signal.reason },
    )
  }
  return { ...how, leaseMs }
}

/** JavaScript has no types to say that the factory of a fault is not a fault. */
function assertFault(fault: unknown): asserts fault is Fault {
  if (typeof fault === 'object' && fault !== null && 'inject' in fault && 'target' in fault) return
  const isFactory = typeof fault === 'function' && 'catalog' in fault
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    isFactory
      ? 'The first argument of `inject` is a function that makes a fault. Call it: `inject(makeFault(), target)`.'
      : `Expected the first argument of \`inject\` to be a fault, got \`${shown(fault)}\`.`,
  )
}

/** The one way a fault is armed, by a controller or without one. */
export async function armFault(
  fault: Fault,
  target: unknown,
  given: InjectOptions,
  around: Surroundings,
): Promise<InjectionRecord> {
  const how = checkArming(fault, target, given, around)
  const name = `${fault.name}@${around.targetName}`
  const arming = {
    ...how,
    id: how.id ?? `${name}#${around.count(name)}`,
    seed: String(how.seed ?? around.seed ?? drawSeed()),
    targetName: around.targetName,
    clock: around.clock,
    journal: around.journal,
  }
  const injection = new InjectionRecord(fault, arming)
  around.onArming(injection)
  await injection.arm(target as never)
  return injection
}

/** Characters of a target's name in the id of an injection, as a controller has them. */
const MAX_TARGET_NAME = 100

function nameOf(target: unknown): string {
  if (typeof target === 'function') return nameOfFunction(target) ?? 'anonymous'
  // What is no object at all is refused by the fault, in its own words.
  return nameOfFunction((Object(target) as object).constructor) ?? 'object'
}

/** A class may have a static member of this name, which is anything. */
function nameOfFunction(fn: unknown): string | undefined {
  const name: unknown = typeof fn === 'function' ? fn.name : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

function countOn(target: object, name: string): number {
  const { counts } = processState()
  let named = counts.get(target)
  if (named === undefined) counts.set(target, (named = new Map<string, number>()))
  const count = (named.get(name) ?? 0) + 1
  named.set(name, count)
  return count
}
