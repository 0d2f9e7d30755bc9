// The exports for authors of faults, bindings and tools.
export { builtin } from './basics/builtin.js'
export { MAX_TIMER_MS, systemClock } from './basics/clock.js'
export { onAbort } from './basics/on-abort.js'
export { listed, suggestion, unknownName } from './basics/suggest.js'
export { messageOf, printable, printableJson, readSafely } from './basics/text.js'
export { redacted, redactedText } from './basics/redact.js'
export { byName } from './blast-radius/by-name.js'
export { globMatcher, isGlob } from './blast-radius/glob.js'
export { rolls } from './blast-radius/random.js'
export { synchronousAnswer } from './blast-radius/predicate.js'
export { registeredControllers, retireController } from './controller/create-chaos.js'
export {
  defineFault,
  type FaultDefinition,
  type FaultFactory,
  type FaultFactoryFor,
  type OptionsOf,
} from './fault/define-fault.js'
export type { CatalogEntry } from './fault/catalog.js'
export type {
  DelegatedCounts,
  DelegatedHit,
  DelegatedOptions,
  DelegatedOutcome,
  Delegation,
} from './fault/delegation.js'
export type { OptionInfo } from './fault/describe-options.js'
export type { TargetKind } from './fault/target-kind.js'
export type { Chance, Held, HeldOn, HeldWork, InjectionContext, Operation, QueuedWork } from './fault/fault.js'
export { checkOptions } from './fault/check-options.js'
export { isMade } from './fault/made.js'
export { option, type Option, type OptionEntries, type Scalar } from './fault/option.js'
export {
  jsonSchemaOf,
  optionsSchema,
  type OptionsInput,
  type OptionsOutput,
  type OptionsSchema,
} from './fault/options-schema.js'
export type { StandardSchemaV1 } from './fault/standard-schema.js'
export { extendLease } from './injection/extend-lease.js'
export { DEFAULT_LEASE_MS, portableInjectOptions } from './injection/inject-options.js'
export type { Follow } from './injection/journal.js'
export { originalOf, ownersOf } from './patch/record.js'
export type { AnyFunction, Below } from './patch/below.js'
export { exempt, isExempt } from './process/exempt.js'
export { controllerRefusal } from './process/guard.js'
export { isError } from './basics/is-error.js'
export { markInjected } from './process/injected-errors.js'
export { checkDamage, damageOf, damageOptions, type Damage, type DamageOptions } from './shared/damage.js'
export { delayOf, delayOptions, delaysOf, type DelayOptions } from './shared/delays.js'
export { bytesOf, copiedBytes, fieldOf, isBytes, keysOf, structureOf } from './shared/payload.js'
export { askedOf, isGetter } from './shared/getter.js'
export { repeat } from './shared/repeat.js'
export { seededStream } from './shared/seeded-stream.js'
export { meaningOf, systemError, type Errno } from './shared/system-error.js'
export { chainOfScope, scopeOfChain, type ScopeChain } from './scopes/chain.js'
export { sessionMark } from './scopes/attributes.js'
export {
  hasScopeMember,
  scopeOfMember,
  withoutScopeMember,
  withScopeMember,
  type MemberReading,
} from './scopes/member.js'
export { mintOptions, mintScopeWith } from './scopes/mint.js'
export { enterScope, openScope, runInScope, type ScopeOptions } from './scopes/scope.js'
export { keepScopesOpen } from './scopes/keep-open.js'
export { areScopesNeeded, needScopes } from './scopes/state.js'
export type { RestOfOperation, Seam, SeamOperation } from './shared/seam.js'
export { tapNodeRedis } from './shared/node-redis/tap-commands.js'
export type { CommandTap, TakenCommand } from './shared/node-redis/batch.js'
