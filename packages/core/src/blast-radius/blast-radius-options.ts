/**
 * Which operations a fault may affect, and for how long. Everything is optional; the default is every operation for 60 s.
 *
 * An injection tells 10,000 operation names apart (1,024 characters each, 1,000,000 together). Any further or longer name shares its count of
 * calls with a group of others, always the same: `skip`, `every`, `rate` and `limitPerOperation` then hold for the group, so that no name has
 * more hits than `limitPerOperation` says.
 */
export interface BlastRadius {
  /**
   * Operations it may affect: names or globs (`*` any run of characters, `?` one) of which one must match,
   * or a predicate. Calls outside it are not counted. Default: all. At most 100 names of 1,024 characters each, 4,096 together; an operation
   * whose name has more than 1,024 characters fits no name and no glob but `*`.
   */
  readonly only?: string | readonly string[] | OperationFilter
  /** Calls of each operation to let pass first. Default 0. */
  readonly skip?: number
  /** Of the calls left, every n-th of each operation is a candidate (the first, then each n-th after it). Default 1. */
  readonly every?: number
  /** Share of the candidates to affect, 0 to 1. Default 1. */
  readonly rate?: number
  /** Operations to affect in all; then the fault ends. Default: no limit. */
  readonly limit?: number
  /** Operations to affect per operation name. Default: no limit. */
  readonly limitPerOperation?: number
}

/** Says whether a call may be affected at all. Must not have side effects; a call on which it throws is left alone, and the first time is reported as a warning. */
export type OperationFilter = (args: ArrayLike<unknown>, operation: string | symbol) => boolean
