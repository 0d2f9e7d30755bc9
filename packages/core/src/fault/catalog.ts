import type { OptionInfo } from './describe-options.js'
import type { FaultKind } from './fault.js'
import type { TargetKind } from './target-kind.js'

/** The JSON Schema (draft 2020-12) of a fault's portable options. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Describes a fault as data. Help, flags and validation are made from it. */
export interface FaultInfo {
  /** `eventbus/delay-events` */
  readonly name: string
  readonly kind: FaultKind
  readonly summary: string
  /** An object schema. Its properties are the options. */
  readonly options: JsonSchema
}

/** The description of a fault that its factory carries. */
export interface CatalogEntry<Name extends string = string> {
  readonly name: Name
  readonly kind: FaultKind
  readonly summary: string
  readonly target: TargetKind
  /** Every option, including those that work in process only. Empty if the options are a schema of another library. */
  readonly options: readonly OptionInfo[]
  /** The same as data, for help, flags, HTTP validation and docs. */
  readonly info: FaultInfo
}
