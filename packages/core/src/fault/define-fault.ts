import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { FaultInfo, JsonSchema } from '../controller/chaos-controller.js'
import type { Fault, FaultKind, InjectionContext } from './fault.js'
import { checkOptions, describedBy, isPortable, type OptionsInput, type OptionsOutput } from './options.js'

/** One declaration of a fault; everything else about it is made from this. */
export interface FaultDefinition<Name extends string, Target, Schema extends StandardSchemaV1> {
  /** Package and break: `eventbus/delay-events`. */
  readonly name: Name
  readonly kind: FaultKind
  /** One sentence for catalog, help and docs. */
  readonly summary: string
  /** Options, by {@link optionsSchema} or any library that speaks Standard Schema. */
  readonly schema: Schema
  /** The JSON Schema of the portable options; needed only where `schema` comes from another library. */
  readonly jsonSchema?: JsonSchema
  /** What no single option can tell: throws for options that do not go together. */
  readonly check?: (options: OptionsOutput<Schema>) => void
  /** What a target must be, in words: `an object with an emit method`. */
  readonly expects: string
  /** Whether a value is such a target. */
  readonly accepts: (value: unknown) => boolean
  readonly inject: (target: Target, options: OptionsOutput<Schema>, context: InjectionContext) => void | Promise<void>
}

/** What can be said of a fault without making one. */
export interface CatalogEntry<Name extends string = string> {
  readonly name: Name
  readonly kind: FaultKind
  readonly summary: string
  readonly expects: string
  readonly accepts: (value: unknown) => boolean
  /** As data: the same for help, flags, HTTP validation and docs. */
  readonly info: FaultInfo
}

/** Makes a fault. Options are checked here, long before anything is broken. */
export interface FaultFactory<Name extends string, Target, Options> {
  /** @throws ChaosError `CHAOS_INVALID_OPTION` */
  (...options: Partial<Options> extends Options ? [options?: Options] : [options: Options]): Fault<Target>
  readonly catalog: CatalogEntry<Name>
}

/** What a factory takes: `OptionsOf<typeof delayEvents>`. */
export type OptionsOf<Factory extends (options: never) => unknown> = NonNullable<Parameters<Factory>[0]>

/** Any factory of faults for this target. */
export interface FaultFactoryFor<in Target> {
  (options: never): Fault<Target>
  readonly catalog: CatalogEntry
}

/**
 * Declares a fault.
 *
 * @returns Its factory, which carries its catalog entry.
 * @throws ChaosError `CHAOS_INVALID_OPTION` when the schema is of another library and has no JSON Schema.
 */
export function defineFault<const Name extends string, Target extends object, Schema extends StandardSchemaV1>(
  definition: FaultDefinition<Name, Target, Schema>,
): FaultFactory<Name, Target, OptionsInput<Schema>> {
  const { name, kind, summary, schema, expects, accepts } = definition
  const make = (given?: unknown): Fault<Target> => {
    const options = checkOptions(schema, given, name)
    definition.check?.(options)
    return Object.freeze({
      name,
      kind,
      options: options as Readonly<Record<string, unknown>>,
      portable: isPortable(options),
      inject: (target: Target, context: InjectionContext) => definition.inject(target, options, context),
      accepts,
      expects,
    })
  }
  const described = describedBy(schema, definition.jsonSchema)
  const info: FaultInfo = Object.freeze({
    name,
    kind,
    summary,
    get options() {
      return described()
    },
  })
  const catalog: CatalogEntry<Name> = Object.freeze({ name, kind, summary, expects, accepts, info })
  return Object.assign(make, { catalog })
}
