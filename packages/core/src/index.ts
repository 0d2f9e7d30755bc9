export { HIT_CHANNEL, LIFE_CYCLE_CHANNEL, type Journal, type JournalEntry } from './injection/journal.js'
export {
  createChaos,
  target,
  type Chaos,
  type ChaosOptions,
  type FaultNamesOf,
  type InjectArguments,
  type TargetDefinition,
  type TargetHandle,
  type Targets,
} from './controller/create-chaos.js'
export type {
  ChaosController,
  ConnectedController,
  ControllerInfo,
  StopReport,
  TargetInfo,
} from './controller/chaos-controller.js'
export type { FaultInfo, JsonSchema } from './fault/catalog.js'
export type { Fault, FaultKind } from './fault/fault.js'
export type { BlastRadius, OperationFilter } from './blast-radius/blast-radius-options.js'
export type { ScopePredicate } from './blast-radius/scope-predicate.js'
export type { OutsideCall, SeenCall } from './blast-radius/scoped.js'
export type { InjectOptions, PortableInjectOptions } from './injection/inject-options.js'
export type {
  Injection,
  InjectionInstance,
  InjectionInstances,
  InjectionOutcome,
  InjectionState,
  InjectionStatus,
} from './injection/injection.js'
export type { Observed, ObservedCalls } from './fault/observed.js'
export { ChaosError, isChaosError, type ChaosErrorCode, type ErrorDetails } from './basics/errors.js'
export type { Cancel, Clock } from './basics/clock.js'
export { inject, journal } from './injection/inject.js'
export { withFault } from './injection/with-fault.js'
export { injectedBy } from './process/injected-errors.js'
export type { ScopeAttributes } from './scopes/attributes.js'
export { mintScope, type MintedScope, type MintOptions } from './scopes/mint.js'
export { currentScope, withScope, type Scope } from './scopes/scope.js'
