/** The calls of one operation in one scope that an injection with `observe` has seen. */
export interface ObservedCalls {
  readonly operation: string
  /** The path of the scope of the calls. Absent: they are made in none. */
  readonly scope?: string | undefined
  readonly seen: number
  readonly affected: number
}

/** What an injection with `observe` has seen. */
export interface Observed {
  /** In the order of the first call. */
  readonly calls: readonly ObservedCalls[]
  /** Calls that are not listed, since there are too many operations and scopes, or their names are too long. */
  readonly unlisted: number
}
