export type { BlastRadius, InjectOptions, OperationFilter, PortableInjectOptions } from './blast-radius/blast-radius-options.js'
export type {
  ChaosController,
  ControllerInfo,
  FaultInfo,
  JsonSchema,
  StopReport,
  TargetInfo,
} from './controller/chaos-controller.js'
export { byName } from './blast-radius/by-name.js'
export { MAX_TIMER_MS, systemClock, type Cancel, type Clock } from './basics/clock.js'
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
} from './controller/create-chaos.js'
export {
  defineFault,
  type CatalogEntry,
  type FaultDefinition,
  type FaultFactory,
  type FaultFactoryFor,
  type OptionsOf,
} from './fault/define-fault.js'
export { ChaosError, isChaosError, type ChaosErrorCode } from './basics/errors.js'
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
} from './fault/fault.js'
export { globMatcher, isGlob } from './blast-radius/glob.js'
export { controllerRefusal } from './process/guard.js'
export { inject, journal, withFault } from './injection/inject.js'
export { DEFAULT_LEASE_MS, portableInjectSchema } from './injection/inject-options.js'
export { injectedBy, markInjected } from './process/injected-errors.js'
export type { Injection, InjectionOutcome, InjectionState, InjectionStatus } from './injection/injection.js'
export { HIT_CHANNEL, LIFE_CYCLE_CHANNEL, type Follow, type Journal, type JournalEntry } from './injection/journal.js'
export { onAbort } from './basics/on-abort.js'
export {
  checkOptions,
  jsonSchemaOf,
  option,
  optionsSchema,
  type OptionsInput,
  type OptionsOutput,
  type OptionsSchema,
} from './fault/options.js'
export { originalOf, ownersOf } from './patch/patch.js'
export { listed, suggestion } from './basics/suggest.js'
export { synchronousAnswer } from './blast-radius/predicate.js'
export { messageOf, printable, printableJson, readSafely } from './basics/text.js'
