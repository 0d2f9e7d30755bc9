/** Which operations a fault may affect, and for how long. Everything is optional; the default is every operation for 60 s. */
export interface BlastRadius {
  /**
   * Operations it may affect: names or globs (`*` any run of characters, `?` one) of which one must match,
   * or a predicate. Calls outside it are not counted. Default: all.
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

/** Says whether a call may be affected at all. Must not throw and must not have side effects. */
export type OperationFilter = (args: ArrayLike<unknown>, operation: string | symbol) => boolean

/** How a fault is put in force. */
export interface InjectOptions extends BlastRadius {
  /** The longest the fault stays in force, in ms. Default 60,000; at most the controller's `maxLeaseMs`. */
  readonly leaseMs?: number
  /** Where decisions come from: same seed, same injection id, same decisions. Default: drawn at random and reported. */
  readonly seed?: string | number
  /** The injection's name, part of every decision. Default `fault@target#k`, the k-th such injection. */
  readonly id?: string
  /** Ends the injection when it aborts. */
  readonly signal?: AbortSignal
}

/** {@link InjectOptions} that JSON can carry. */
export type PortableInjectOptions = Omit<InjectOptions, 'signal' | 'only'> & { readonly only?: string | readonly string[] }
