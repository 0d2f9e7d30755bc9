export type { BlastRadius, InjectOptions, OperationFilter, PortableInjectOptions } from './blast-radius-options.js'
export type {
  ChaosController,
  ControllerInfo,
  FaultInfo,
  JsonSchema,
  StopReport,
  TargetInfo,
} from './chaos-controller.js'
export { byName } from './by-name.js'
export { MAX_TIMER_MS, systemClock, type Cancel, type Clock } from './clock.js'
export {
  createChaos,
  registeredControllers,
  target,
  type Chaos,
  type ChaosOptions,
  type FaultNamesOf,
  type InjectArguments,
  type TargetDefinition,
  type TargetHandle,
  type Targets,
} from './controller.js'
export {
  defineFault,
  type CatalogEntry,
  type FaultDefinition,
  type FaultFactory,
  type FaultFactoryFor,
  type OptionsOf,
} from './define-fault.js'
export { ChaosError, isChaosError, type ChaosErrorCode } from './errors.js'
export type {
  AnyFunction,
  Below,
  Fault,
  FaultKind,
  Held,
  HeldOn,
  HeldWork,
  InjectionContext,
  Operation,
  QueuedWork,
} from './fault.js'
export { globMatcher, isGlob } from './glob.js'
export { controllerRefusal } from './guard.js'
export { inject, journal, withFault } from './inject.js'
export { DEFAULT_LEASE_MS, portableInjectSchema } from './inject-options.js'
export { injectedBy, markInjected } from './injected-errors.js'
export type { Injection, InjectionOutcome, InjectionState, InjectionStatus } from './injection.js'
export { HIT_CHANNEL, LIFE_CYCLE_CHANNEL, type Follow, type Journal, type JournalEntry } from './journal.js'
export { onAbort } from './on-abort.js'
export {
  checkOptions,
  jsonSchemaOf,
  option,
  optionsSchema,
  type OptionsInput,
  type OptionsOutput,
  type OptionsSchema,
} from './options.js'
export { originalOf, ownersOf } from './patch.js'
export { listed, suggestion } from './suggest.js'
export { synchronousAnswer } from './predicate.js'
export { messageOf, printable, printableJson, readSafely } from './text.js'
