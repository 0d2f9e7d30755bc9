import type { ChaosController, ControllerInfo, StopReport, TargetInfo } from './chaos-controller.js'
import { MAX_TIMER_MS, systemClock, type Clock } from '../basics/clock.js'
import { ChaosError } from '../basics/errors.js'
import { listed, unknownName } from '../basics/suggest.js'
import { printable } from '../basics/text.js'
import { drawSeed } from '../blast-radius/random.js'
import type { FaultInfo } from '../fault/catalog.js'
import { checkOptions } from '../fault/check-options.js'
import { shown } from '../fault/data.js'
import { mismatch } from '../fault/target-kind.js'
import type { FaultFactoryFor } from '../fault/define-fault.js'
import type { Fault } from '../fault/fault.js'
import { option } from '../fault/option.js'
import { optionsSchema } from '../fault/options-schema.js'
import { portableInjectOptions, type InjectOptions, type PortableInjectOptions } from '../injection/inject-options.js'
import { armFault, assertWithinLease, checkArming, type Surroundings } from '../injection/inject.js'
import type { InjectionRecord } from '../injection/injection-record.js'
import type { Injection, InjectionState } from '../injection/injection.js'
import { JournalWriter, type Follow, type Journal, type JournalEntry } from '../injection/journal.js'
import { endIfDisabled } from '../process/disabled-watch.js'
import { assertRolledBack, endInjections } from '../process/end-injections.js'
import { controllerRefusal, DEFAULT_ENVIRONMENTS } from '../process/guard.js'
import { processState, type LiveInjection } from '../process/process-state.js'
import { mintScope, type MintOptions } from '../scopes/mint.js'

/** A target and the faults that can be injected into it. Made by {@link target}. */
export interface TargetDefinition<
  Factories extends readonly FaultFactoryFor<never>[] = readonly FaultFactoryFor<never>[],
> {
  readonly object: object
  readonly faults: Factories
}

/**
 * Defines a target with its faults: `target(bus, [delayEvents])`.
 *
 * TypeScript rejects a fault that does not accept this kind of object.
 */
export function target<Target extends object, const Factories extends readonly FaultFactoryFor<Target>[]>(
  object: Target,
  faults: Factories,
): TargetDefinition<Factories> {
  return { object, faults }
}

/** The targets of a controller, by name. */
export type Targets = Readonly<Record<string, TargetDefinition>>

type NameOf<Factory> = Factory extends { readonly catalog: { readonly name: infer Name extends string } } ? Name : never
type ShortNameOf<Name extends string> = Name extends `${string}/${infer Short}` ? Short : never
/** The full and short names of a target's faults. */
export type FaultNamesOf<Definition extends TargetDefinition> =
  | NameOf<Definition['faults'][number]>
  | ShortNameOf<NameOf<Definition['faults'][number]>>
type FactoryNamed<
  Definition extends TargetDefinition,
  Name extends string,
> = Definition['faults'][number] extends infer Factory
  ? Factory extends FaultFactoryFor<never>
    ? Name extends NameOf<Factory> | ShortNameOf<NameOf<Factory>>
      ? Factory
      : never
    : never
  : never
type ArgumentsOf<Factory> = Factory extends (...options: infer Options) => unknown ? Options : never
/** The arguments after a fault's name: its options, then how to inject it. The options may be left out if none is required. */
export type InjectArguments<Definition extends TargetDefinition, Name extends string> =
  ArgumentsOf<FactoryNamed<Definition, Name>> extends [infer Options]
    ? [options: Options, how?: InjectOptions]
    : [options?: ArgumentsOf<FactoryNamed<Definition, Name>>[0], how?: InjectOptions]

/** One target of a controller. */
export interface TargetHandle<Definition extends TargetDefinition> {
  readonly name: string
  inject<Name extends FaultNamesOf<Definition>>(
    fault: Name,
    ...args: InjectArguments<Definition, Name>
  ): Promise<Injection>
  /** Ends the target's injections and removes it from the controller. */
  remove(): Promise<void>
}

/** The in-process controller: a {@link ChaosController} with typed targets, faults and options. */
export interface Chaos<T extends Targets = Targets> extends Omit<ChaosController, 'inject' | 'check'> {
  inject<TargetName extends keyof T & string, Name extends FaultNamesOf<T[TargetName]>>(
    target: TargetName,
    fault: Name,
    ...args: InjectArguments<T[TargetName], Name>
  ): Promise<Injection>
  /** Runs the checks of `inject` without injecting anything. @throws ChaosError The errors that `inject` throws before it injects. */
  check<TargetName extends keyof T & string, Name extends FaultNamesOf<T[TargetName]>>(
    target: TargetName,
    fault: Name,
    ...args: InjectArguments<T[TargetName], Name>
  ): Promise<void>
  /**
   * Adds a target after the controller was made.
   *
   * @throws ChaosError `CHAOS_DUPLICATE_TARGET` if the name is taken, `CHAOS_TARGET_MISMATCH` if a fault does not accept the object.
   */
  target<Target extends object, const Factories extends readonly FaultFactoryFor<Target>[]>(
    name: string,
    object: Target,
    faults: Factories,
  ): TargetHandle<TargetDefinition<Factories>>
  readonly journal: Journal & { readonly follow: Follow }
  /** The untyped controller, for a control endpoint or an experiment. It checks names and options at run time. */
  readonly controller: ChaosController
  /** Ends this controller's injections and unregisters it. `stopAll` ends every injection of the process instead. */
  close(): Promise<void>
}

/** Options of {@link createChaos}. */
export interface ChaosOptions<T extends Targets> {
  /** The environment that the process runs in. Default: `NODE_ENV`. */
  readonly environment?: string | undefined
  /** The environments in which faults may be injected. Default: development and test. `production` is refused even if it is named. */
  readonly allowEnvironments?: readonly string[]
  /** The seed of random decisions. Default: a random seed, which `info()` reports. */
  readonly seed?: string | number
  /** The longest lease that an injection may have, in ms. Default 600,000. */
  readonly maxLeaseMs?: number
  readonly targets?: T
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
}

const anything = (): boolean => true

const chaosSchema = optionsSchema({
  environment: option.optional(
    option.matching(/^[^]{0,100}$/, 'a string of at most 100 characters', 'The environment that the process runs in.'),
  ),
  allowEnvironments: option.optional(option.list(option.text('An environment.', 100), 100, 'environments')),
  seed: portableInjectOptions.seed,
  maxLeaseMs: option.optional(
    option.number('The longest lease that an injection may have, in ms.', 1, MAX_TIMER_MS, 'a number of ms'),
  ),
  // Declared as live objects, which the check neither copies nor freezes.
  targets: option.optional(option.live<Targets>(anything, 'an object of targets by name', 'The targets by name.')),
  clock: option.optional(option.live<Clock>(anything, 'a clock', 'The source of time.')),
})

const RENEWAL = 'renew'
const renewalSchema = optionsSchema({
  leaseMs: option.number('How long the lease lasts from now, in ms.', 1, MAX_TIMER_MS, 'a number of ms'),
})

/** The most ended injections that a controller remembers. */
const MAX_ENDED = 100

/**
 * Makes a controller. It holds named targets, injects faults by name and stops them all.
 *
 * `createChaos` does not throw where chaos is not allowed: the application runs on, and only `inject` is refused.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, `CHAOS_TARGET_MISMATCH` if a fault does not accept its target.
 */
export function createChaos<const T extends Targets = Record<never, never>>(options: ChaosOptions<T> = {}): Chaos<T> {
  const { targets = {}, clock = systemClock, ...given } = options
  const {
    environment,
    allowEnvironments = DEFAULT_ENVIRONMENTS,
    maxLeaseMs = 600_000,
    seed: asked = drawSeed(),
  } = checkOptions(chaosSchema, given, 'createChaos')
  const seed = String(asked)
  const refusal = (): ChaosError | undefined => {
    endIfDisabled()
    return controllerRefusal(environment, allowEnvironments)
  }
  const journal = new JournalWriter()
  const definitions = new Map<string, TargetDefinition>()
  const counts = new Map<string, number>()
  const live = new Map<string, InjectionRecord>()
  const ended = new Map<string, InjectionState>()

  function add(name: string, definition: TargetDefinition): void {
    if (!/^[\w.-]{1,100}$/.test(name))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected the name of a target to be 1 to 100 letters, digits, dots, dashes or underscores, got \`${shown(name)}\`.`,
      )
    if (definitions.has(name))
      throw new ChaosError(
        'CHAOS_DUPLICATE_TARGET',
        `The target name "${name}" is taken. Remove the other target first, or choose another name.`,
      )
    assertDefinition(name, definition)
    for (const { catalog } of definition.faults) {
      if (!catalog.target.accepts(definition.object)) {
        throw mismatch(`the target "${name}" of ${catalog.name}`, catalog.target, definition.object)
      }
    }
    definitions.set(name, definition)
  }

  function definitionOf(name: string): TargetDefinition {
    const definition = definitions.get(name)
    if (definition !== undefined) return definition
    const known = [...definitions.keys()]
    throw new ChaosError('CHAOS_UNKNOWN_TARGET', unknownName('target', name, known), {
      details: { of: 'inject', field: '/target', expected: `one of ${listed(known)}` },
    })
  }

  function factoryOf(targetName: string, { faults }: TargetDefinition, name: string): FaultFactoryFor<never> {
    const exact = faults.find(({ catalog }) => catalog.name === name)
    if (exact !== undefined) return exact
    const called = faults.filter(({ catalog }) => shortName(catalog.name) === name)
    const names = new Set(called.map(({ catalog }) => catalog.name))
    if (names.size > 1) {
      throw new ChaosError(
        'CHAOS_UNKNOWN_FAULT',
        `Target "${targetName}" has several faults named "${printable(name)}": ${listed([...names])}. Use the full name.`,
        { details: { of: 'inject', field: '/fault', expected: `one of ${listed([...names])}` } },
      )
    }
    if (called[0] !== undefined) return called[0]
    const known = faults.map(({ catalog }) => catalog.name)
    throw new ChaosError(
      'CHAOS_UNKNOWN_FAULT',
      unknownName(`fault of target "${targetName}"`, name, known, known.map(shortName)),
      { details: { of: 'inject', field: '/fault', expected: `one of ${listed(known)}` } },
    )
  }

  function track(injection: InjectionRecord): void {
    live.set(injection.id, injection)
    void injection.done.then((state) => {
      // Another one may have its id by now.
      if (live.get(state.id) === injection) live.delete(state.id)
      ended.set(state.id, state)
      const [oldest] = ended.keys()
      if (ended.size > MAX_ENDED && oldest !== undefined) ended.delete(oldest)
    })
  }

  /** Checks everything except how the fault is injected. Returns the fault and the object that it breaks. */
  function resolve(
    targetName: string,
    faultName: string,
    faultOptions: unknown,
  ): { readonly fault: Fault; readonly object: object } {
    const refused = refusal()
    if (refused !== undefined) throw refused
    const definition = definitionOf(targetName)
    const make = factoryOf(targetName, definition, faultName)
    return { fault: make(faultOptions as never), object: definition.object }
  }

  async function inject(
    targetName: string,
    faultName: string,
    faultOptions?: unknown,
    how: InjectOptions = {},
  ): Promise<InjectionRecord> {
    const { fault, object } = resolve(targetName, faultName, faultOptions)
    const around: Surroundings = {
      targetName,
      seed,
      maxLeaseMs,
      clock,
      journal,
      refusal,
      counts,
      onArming: track,
    }
    return armFault(fault, object, how, around)
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- errors arrive as a rejection, as from `inject`
  async function check(
    targetName: string,
    faultName: string,
    faultOptions?: unknown,
    how: InjectOptions = {},
  ): Promise<void> {
    const { fault, object } = resolve(targetName, faultName, faultOptions)
    checkArming(fault, object, how, { refusal, maxLeaseMs })
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- errors arrive as a rejection, as from `inject`
  async function renew(id: string, leaseMs: number): Promise<InjectionState> {
    const refused = refusal()
    if (refused !== undefined) throw refused
    const checked = checkOptions(renewalSchema, { leaseMs }, RENEWAL)
    const injection = live.get(id)
    if (injection === undefined) {
      const state = ended.get(id)
      if (state === undefined) throw unknownInjection(id)
      throw new ChaosError(
        'CHAOS_INJECTION_ENDED',
        `The injection ${id} has ended (${state.outcome ?? ''}), so its lease cannot be renewed. Inject the fault again.`,
      )
    }
    assertWithinLease(checked.leaseMs, maxLeaseMs, RENEWAL)
    injection.renew(checked.leaseMs)
    return injection.snapshot()
  }

  const unknownInjection = (id: string): ChaosError =>
    new ChaosError('CHAOS_UNKNOWN_INJECTION', unknownName('injection', id, [...live.keys()]))

  async function stop(id: string): Promise<InjectionState> {
    const injection = live.get(id)
    if (injection !== undefined) {
      const [end] = await endInjections([injection], (one) => one.mark('stopped'))
      const state = await injection.done
      assertRolledBack(end?.failures ?? [])
      return state
    }
    const state = ended.get(id)
    if (state !== undefined) return state
    throw unknownInjection(id)
  }

  // Not async: every injection must be marked before the caller goes on.
  function end(injections: Iterable<LiveInjection>): Promise<StopReport> {
    return endInjections(injections, (one) => one.mark('stopped')).then((ends) => {
      assertRolledBack(ends.flatMap(({ failures }) => failures))
      return { stopped: ends.map(({ state }) => state as InjectionState) }
    })
  }

  async function remove(name: string): Promise<void> {
    definitions.delete(name)
    await end([...live.values()].filter((injection) => injection.target === name))
  }

  const controller: ChaosController = {
    info: () =>
      Promise.resolve<ControllerInfo>({
        environment: environment ?? process.env['NODE_ENV'],
        refusal: refusal()?.message,
        seed,
        maxLeaseMs,
        now: clock.now(),
      }),
    targets: () =>
      Promise.resolve(
        [...definitions].map(([name, { faults }]): TargetInfo => ({
          name,
          faults: faults.map(({ catalog }) => catalog.name),
        })),
      ),
    faults: () => Promise.resolve([...catalogOf(definitions.values()).values()]),
    injections: () =>
      Promise.resolve([...ended.values(), ...[...live.values()].map((injection) => injection.snapshot())]),
    inject: (
      name: string,
      fault: string,
      faultOptions?: Readonly<Record<string, unknown>>,
      how?: PortableInjectOptions,
    ) => inject(name, fault, faultOptions, how),
    check: (
      name: string,
      fault: string,
      faultOptions?: Readonly<Record<string, unknown>>,
      how?: PortableInjectOptions,
    ) => check(name, fault, faultOptions, how),
    renew,
    stop,
    stopAll: () => end(processState().live),
    // eslint-disable-next-line @typescript-eslint/require-await -- errors arrive as a rejection, as from `inject`
    mintScope: async (given?: MintOptions) => mintScope(given),
    follow: (listener: (entry: JournalEntry) => void) => journal.follow(listener),
  }

  for (const [name, definition] of Object.entries<TargetDefinition>(targets)) add(name, definition)
  processState().controllers.add(controller)

  return {
    ...controller,
    inject: inject,
    check: check,
    target(name, object, faults) {
      add(name, target(object, faults))
      return {
        name,
        inject: (fault: string, ...[faultOptions, how]: readonly [unknown?, InjectOptions?]) =>
          inject(name, fault, faultOptions, how),
        remove: () => remove(name),
      }
    },
    journal,
    controller,
    async close() {
      processState().controllers.delete(controller)
      await end(live.values())
    },
  }
}

/** Checks a target definition at run time, for callers without TypeScript. */
function assertDefinition(name: string, definition: unknown): asserts definition is TargetDefinition {
  const faults: unknown =
    typeof definition === 'object' && definition !== null && 'object' in definition && 'faults' in definition
      ? definition.faults
      : undefined
  const known = Array.isArray(faults) ? (faults as unknown[]) : undefined
  if (known?.every((fault) => typeof fault === 'function' && 'catalog' in fault) === true) return
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `The target "${name}" must list the factories of its faults: \`${name}: target(object, [delayEvents, dropEvents])\`. Pass the factories without calling them.`,
  )
}

/** Returns all controllers of this process, oldest first, including those of other copies of core. */
export function registeredControllers(): readonly ChaosController[] {
  return [...processState().controllers] as ChaosController[]
}

/**
 * Removes a controller from {@link registeredControllers}, at once or when its last injection has ended. For controllers
 * that the app has replaced, after a hot reload, without closing them.
 */
export async function retireController(controller: ChaosController): Promise<void> {
  const leaveIfIdle = async (): Promise<void> => {
    const injections = await controller.injections()
    if (injections.some(({ outcome }) => outcome === undefined)) return
    unfollow()
    processState().controllers.delete(controller)
  }
  const unfollow = controller.follow(() => void leaveIfIdle())
  await leaveIfIdle()
}

function catalogOf(definitions: Iterable<TargetDefinition>): Map<string, FaultInfo> {
  const infos = new Map<string, FaultInfo>()
  for (const { faults } of definitions) {
    for (const { catalog } of faults) infos.set(catalog.name, catalog.info)
  }
  return infos
}

function shortName(name: string): string {
  return name.slice(name.indexOf('/') + 1)
}
