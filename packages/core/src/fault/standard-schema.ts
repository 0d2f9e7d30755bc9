/**
 * Standard Schema, version 1 (https://standardschema.dev), whose specification permits copying this interface.
 * A fault may declare its options with any library that implements it.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type TypesOf<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>
/** The value that a schema accepts. */
export type InputOf<Schema extends StandardSchemaV1> = TypesOf<Schema>['input']
/** The value that a schema returns, with defaults filled in. */
export type OutputOf<Schema extends StandardSchemaV1> = TypesOf<Schema>['output']
