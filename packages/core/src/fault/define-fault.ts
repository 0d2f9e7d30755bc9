import type { CatalogEntry, FaultInfo, JsonSchema } from './catalog.js'
import { checkOptions } from './check-options.js'
import { isPortable } from './data.js'
import { describeOptions } from './describe-options.js'
import type { Fault, FaultKind, InjectionContext } from './fault.js'
import { markMade } from './made.js'
import {
  describedBy,
  entriesOf,
  schemaOfDeclaration,
  type OptionsDeclaration,
  type OptionsInput,
  type OptionsOutput,
} from './options-schema.js'
import type { TargetKind } from './target-kind.js'

/** The declaration of a fault. The factory, the catalog entry and the option checks are made from it. */
export interface FaultDefinition<Name extends string, Target, Options extends OptionsDeclaration> {
  /** Package and fault: `eventbus/delay-events`. */
  readonly name: Name
  readonly kind: FaultKind
  /** One sentence for catalog, help and docs. */
  readonly summary: string
  /** The kind of target that the fault breaks. */
  readonly target: TargetKind<Target>
  /** The options by name, made with {@link option}, or a schema of any library that implements Standard Schema. Default: none. */
  readonly options?: Options
  /** The JSON Schema of the portable options. Required only if `options` is a schema of another library. */
  readonly jsonSchema?: JsonSchema
  /** Throws if options that are valid one by one contradict each other. */
  readonly check?: (options: OptionsOutput<Options>) => void
  readonly inject: (target: Target, options: OptionsOutput<Options>, context: InjectionContext) => void | Promise<void>
}

/** Makes a fault. Checks the options at once, before anything is broken. */
export interface FaultFactory<Name extends string, Target, Options> {
  /** @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown option or an invalid value. */
  (...options: Partial<Options> extends Options ? [options?: Options] : [options: Options]): Fault<Target>
  readonly catalog: CatalogEntry<Name>
}

/** The options that a factory takes: `OptionsOf<typeof delayEvents>`. */
export type OptionsOf<Factory extends (options: never) => unknown> = NonNullable<Parameters<Factory>[0]>

/** Any factory of faults that accept this target. */
export interface FaultFactoryFor<in Target> {
  (options: never): Fault<Target>
  readonly catalog: CatalogEntry
}

/**
 * Declares a fault.
 *
 * @returns The fault's factory, which carries the catalog entry.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `options` is a schema of another library and `jsonSchema` is missing.
 */
export function defineFault<
  const Name extends string,
  Target extends object,
  const Options extends OptionsDeclaration = Record<never, never>,
>(definition: FaultDefinition<Name, Target, Options>): FaultFactory<Name, Target, OptionsInput<Options>> {
  const { name, kind, summary, target } = definition
  const schema = schemaOfDeclaration(definition.options ?? {})
  const make = (given?: unknown): Fault<Target> => {
    const options = checkOptions(schema, given, name) as OptionsOutput<Options>
    definition.check?.(options)
    return Object.freeze(
      markMade({
        name,
        kind,
        options: options as Readonly<Record<string, unknown>>,
        portable: isPortable(options),
        target,
        inject: (object: Target, context: InjectionContext) => definition.inject(object, options, context),
      }),
    )
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
  const catalog: CatalogEntry<Name> = Object.freeze({
    name,
    kind,
    summary,
    target,
    info,
    get options() {
      return describeOptions(entriesOf(schema) ?? {})
    },
  })
  return Object.assign(make, { catalog })
}
