import { systemClock, type Clock } from '../basics/clock.js'
import { endIfDisabled } from '../process/disabled-watch.js'
import { ChaosError } from '../basics/errors.js'
import type { Fault } from '../fault/fault.js'
import { bareRefusal } from '../process/guard.js'
import { DEFAULT_LEASE_MS, injectSchema, type InjectOptions } from './inject-options.js'
import { InjectionRecord } from './injection-record.js'
import type { Injection } from './injection.js'
import { assertCarried } from '../scopes/scope.js'
import { assertFree, nextNumber } from './numbering.js'
import { JournalWriter, type Follow, type Journal } from './journal.js'
import { checkOptions } from '../fault/check-options.js'
import { shown } from '../fault/data.js'
import { mismatch } from '../fault/target-kind.js'
import { processState } from '../process/process-state.js'
import { drawSeed } from '../blast-radius/random.js'
import { printable } from '../basics/text.js'

/** The settings that a controller, or {@link inject} without one, provides for its injections. */
export interface Surroundings {
  readonly targetName: string
  readonly seed: string | undefined
  readonly maxLeaseMs: number
  readonly clock: Clock
  readonly journal: JournalWriter
  readonly refusal: () => ChaosError | undefined
  /** How many injections without a given seed there were, by fault and target name: the k of `fault@target#k`. */
  readonly counts: Map<string, number>
  readonly onArming?: (injection: InjectionRecord) => void
}

const bareJournal = new JournalWriter()

/** The journal of injections made by {@link inject} and {@link withFault} in this process. Each controller has its own. */
export const journal: Journal & { readonly follow: Follow } = bareJournal

/** How to inject a fault without a controller. */
export interface BareInjectOptions extends InjectOptions {
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
  /** The target's name in the injection's id. Default: the name of the target's class or function. */
  readonly targetName?: string
}

/**
 * Injects a fault into a target. Resolves when a standing fault is in force, or an instant one is done.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option or fault, an `id` that is in use, or a scope that was begun while
 *   nobody needed scopes.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the fault does not accept the target, `CHAOS_TARGET_SEALED` if a member of the
 *   target cannot be replaced.
 * @throws ChaosError `CHAOS_DISABLED` if `CHAOS_DISABLED` is set, `CHAOS_ENVIRONMENT_REFUSED` under `NODE_ENV=production`.
 * @throws ChaosError `CHAOS_TOO_MANY_REQUESTS` if 1,024 injections are in force in this process.
 * @throws ChaosError `CHAOS_INJECTION_ENDED` if the injection ended before the fault was in force or done.
 * @throws ChaosError `CHAOS_ROLLBACK_FAILED` if the fault failed, or an instant one is done, and an undo step failed.
 * @throws Any error of the fault itself, after the fault was rolled back.
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
    counts: countsOf(target),
  })
}

/** The most injections in force in one process. All may patch the same call, and the call stack holds about 3,000 layers. */
export const MAX_IN_FORCE = 1_024

/** Checked {@link InjectOptions}. */
export interface CheckedHow extends InjectOptions {
  readonly leaseMs: number
}

/** Runs every check that precedes arming. Changes, counts and journals nothing. */
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
      `This process has ${MAX_IN_FORCE} injections in force, which is the maximum. Stop some first.`,
    )
  }
  assertFault(fault)
  const how = checkOptions(injectSchema, given, 'inject') as InjectOptions
  const { leaseMs = Math.min(DEFAULT_LEASE_MS, maxLeaseMs) } = how
  assertWithinLease(leaseMs, maxLeaseMs, 'inject')
  if (how.id !== undefined) assertFree(how.id)
  // The checked options are copies.
  assertCarried(given.scope)
  if (Object(target) !== target || !fault.target.accepts(target)) {
    throw mismatch(`the target of ${fault.name}`, fault.target, target)
  }
  if (how.signal?.aborted === true) {
    throw new ChaosError(
      'CHAOS_INJECTION_ENDED',
      `The fault ${fault.name} was not injected, since its \`signal\` has already aborted. Pass a signal that has not aborted.`,
      { cause: how.signal.reason },
    )
  }
  return { ...how, leaseMs }
}

/** @throws ChaosError `CHAOS_INVALID_OPTION` for a lease that is longer than a controller allows. */
export function assertWithinLease(leaseMs: number, maxLeaseMs: number, of: string): void {
  if (leaseMs <= maxLeaseMs) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`leaseMs\` to be at most ${maxLeaseMs} (the controller's \`maxLeaseMs\`), got \`${leaseMs}\`.`,
    { details: { of, field: '/leaseMs', expected: `at most ${maxLeaseMs}` } },
  )
}

/** Checks at run time that a value is a fault and not its factory, for callers without TypeScript. */
function assertFault(fault: unknown): asserts fault is Fault {
  if (typeof fault === 'object' && fault !== null && 'inject' in fault && 'target' in fault) return
  const isFactory = typeof fault === 'function' && 'catalog' in fault
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    isFactory
      ? 'The first argument of `inject` is the factory of a fault. Call it: `inject(makeFault(), target)`.'
      : `Expected the first argument of \`inject\` to be a fault, got \`${shown(fault)}\`.`,
  )
}

/** Checks and arms a fault, for a controller or for {@link inject}. */
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
    id: how.id ?? `${name}#${nextNumber(name, how.seed !== undefined, around.counts)}`,
    seed: String(how.seed ?? around.seed ?? drawSeed()),
    targetName: around.targetName,
    maxLeaseMs: around.maxLeaseMs,
    clock: around.clock,
    journal: around.journal,
  }
  const injection = new InjectionRecord(fault, arming)
  around.onArming?.(injection)
  await injection.arm(target as never)
  return injection
}

/** The most characters of a target's name in an injection's id. A controller has the same limit. */
const MAX_TARGET_NAME = 100

function nameOf(target: unknown): string {
  if (typeof target === 'function') return nameOfFunction(target) ?? 'anonymous'
  // A target that is not an object is refused later, with the fault's own message.
  return nameOfFunction((Object(target) as object).constructor) ?? 'object'
}

/** The name of a function, if it is a string. A class may have a static member `name` of any type. */
function nameOfFunction(fn: unknown): string | undefined {
  const name: unknown = typeof fn === 'function' ? fn.name : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** The counts of the injections that had this object as their target. A target that is not an object is refused later. */
function countsOf(target: unknown): Map<string, number> {
  const { counts } = processState()
  const known = counts.get(target as object)
  if (known !== undefined) return known
  const made = new Map<string, number>()
  if (Object(target) === target) counts.set(target as object, made)
  return made
}
