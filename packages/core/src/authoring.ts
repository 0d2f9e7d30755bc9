// The exports for authors of faults, bindings and tools.
export { MAX_TIMER_MS, systemClock } from './basics/clock.js'
export { onAbort } from './basics/on-abort.js'
export { listed, suggestion, unknownName } from './basics/suggest.js'
export { messageOf, printable, printableJson, readSafely } from './basics/text.js'
export { byName } from './blast-radius/by-name.js'
export { globMatcher, isGlob } from './blast-radius/glob.js'
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
export type { OptionInfo } from './fault/describe-options.js'
export type { TargetKind } from './fault/target-kind.js'
export type { Held, HeldOn, HeldWork, InjectionContext, Operation, QueuedWork } from './fault/fault.js'
export { checkOptions } from './fault/check-options.js'
export { option, type Option, type OptionEntries } from './fault/option.js'
export {
  jsonSchemaOf,
  optionsSchema,
  type OptionsInput,
  type OptionsOutput,
  type OptionsSchema,
} from './fault/options-schema.js'
export type { StandardSchemaV1 } from './fault/standard-schema.js'
export { DEFAULT_LEASE_MS, portableInjectOptions } from './injection/inject-options.js'
export type { Follow } from './injection/journal.js'
export { originalOf, ownersOf } from './patch/record.js'
export type { AnyFunction, Below } from './patch/below.js'
export { controllerRefusal } from './process/guard.js'
export { isError } from './basics/is-error.js'
export { markInjected } from './process/injected-errors.js'
export { checkDamage, damageOf, damageOptions, type Damage, type DamageOptions } from './shared/damage.js'
export { delayOptions, delaysOf, type DelayOptions } from './shared/delays.js'
export { bytesOf, copiedBytes, fieldOf, isBytes, keysOf, structureOf } from './shared/payload.js'
export { askedOf, isGetter } from './shared/getter.js'
export { repeat } from './shared/repeat.js'
export { seededStream } from './shared/seeded-stream.js'
export { meaningOf, systemError, type Errno } from './shared/system-error.js'
export type { RestOfOperation, Seam, SeamOperation } from './shared/seam.js'
