import type { OptionInfo } from './describe-options.js'
import type { FaultKind } from './fault.js'
import type { TargetKind } from './target-kind.js'

/** A JSON Schema (draft 2020-12) of a fault's portable options. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A fault that can be injected, as data: what help, flags and validation are made from. */
export interface FaultInfo {
  /** `eventbus/delay-events` */
  readonly name: string
  readonly kind: FaultKind
  readonly summary: string
  /** An object schema; its properties are the options. */
  readonly options: JsonSchema
}

/** What can be said of a fault without making one. */
export interface CatalogEntry<Name extends string = string> {
  readonly name: Name
  readonly kind: FaultKind
  readonly summary: string
  readonly target: TargetKind
  /** Every option, those that work in process only included. Empty where the options are a schema of another library. */
  readonly options: readonly OptionInfo[]
  /** As data: the same for help, flags, HTTP validation and docs. */
  readonly info: FaultInfo
}
