import type { Scope } from '../scopes/scope.js'
import type { ScopePredicate } from './scope-predicate.js'

/**
 * Limits which calls a fault may affect. All options are optional. By default a fault affects every call of every operation.
 *
 * An injection counts 10,000 operation names separately (1,024 characters each, 1,000,000 together). Further and longer
 * names share counts in fixed groups. `skip`, `every`, `rate` and `limitPerOperation` then apply to the group, so no name
 * gets more hits than `limitPerOperation`.
 */
export interface BlastRadius {
  /**
   * The operations that the fault may affect: names or globs (`*` matches any run of characters, `?` exactly one), or a
   * predicate. One match is enough. Calls of other operations are not counted. Default: all operations. At most 100 names,
   * 1,024 characters each, 4,096 together. An operation name of more than 1,024 characters matches only `*`.
   * An event named by a number counts as its text (`1`, `1.5`; `0` for -0), a symbol matches no name and no glob.
   */
  readonly only?: string | readonly string[] | OperationFilter
  /**
   * On whose behalf a call is made, if the fault may affect it: a scope, or its id, with all scopes within it; the path of a scope
   * (`an order is charged once > POST /orders`) for that scope alone, and with ` > *` at the end for those within it as well. A name
   * that ends with ` #*` stands for all scopes of this name: `GET /orders #*`. Or a predicate on requests, with all that is done on
   * their behalf: `{ route: 'GET /orders/*', user: 'alice' }`. `skip`, `every`, `rate` and the limits then count the calls in the
   * scope. Default: all calls, in any scope and in none.
   */
  readonly scope?: string | Scope | ScopePredicate
  /** The first calls of each operation to let pass. Default 0. */
  readonly skip?: number
  /** After `skip`, every n-th call of each operation is a candidate, beginning with the first. Default 1. */
  readonly every?: number
  /** The share of the candidates to affect, 0 to 1. Default 1. */
  readonly rate?: number
  /** The number of calls to affect in total. A standing fault ends when it is reached. Default: no limit. */
  readonly limit?: number
  /** The number of calls to affect per operation name. Default: no limit. */
  readonly limitPerOperation?: number
}

/**
 * Decides whether a call is within the blast radius. It must not have side effects. A call on which it throws, or returns a
 * promise, is left alone; the first such call is reported as a warning.
 */
export type OperationFilter = (args: ArrayLike<unknown>, operation: string | symbol) => boolean
