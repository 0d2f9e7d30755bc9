import type { Fault } from '@chaos/core'
import type { FaultFactoryFor } from '@chaos/core/authoring'
import type { FaultContract } from '@chaos/core/testing'

/** A factory of any fault, as the catalogs hold it. */
export type AnyFactory = FaultFactoryFor<never>

/** One kind of target, and how its operations are done. */
export interface Kind {
  readonly title: string
  /** The package of the faults that act on these operations, without its scope. */
  readonly injector: 'worker' | 'eventbus' | 'adapter' | 'proxy'
  /** The names of the faults that act on these operations. Default: every fault of the package that accepts the target. */
  readonly faults?: readonly string[]
  /** Faults that accept the target and whose operations these are not. */
  readonly except?: readonly string[]
  /** The seam that the exercise reaches, where it is not the default one. */
  readonly seam?: 'publish'
  readonly contract: Omit<FaultContract<object>, 'fault'>
}

/** Describes a kind of target with the type that its operations need. */
export function kind<Target extends object>(
  injector: Kind['injector'],
  title: string,
  contract: Omit<FaultContract<Target>, 'fault'>,
  restriction: Pick<Kind, 'faults' | 'except' | 'seam'> = {},
): Kind {
  return {
    injector,
    title,
    contract: contract as unknown as Omit<FaultContract<object>, 'fault'>,
    ...restriction,
  }
}

/** Makes a fault with the options that the contract gives it. */
export function made(factory: AnyFactory, options: Readonly<Record<string, unknown>>): Fault<object> {
  return (factory as unknown as (given: unknown) => Fault<object>)(options)
}

/** A failure that a fault causes on purpose, or that it may cause. */
export const swallow = (): undefined => undefined

/** Does something so many times; what it throws is the business of the fault. */
export function times(count: number, act: (index: number) => unknown): void {
  for (let index = 0; index < count; index += 1) {
    try {
      const answer = act(index)
      if (answer instanceof Promise) answer.catch(swallow)
    } catch {
      // The fault failed it.
    }
  }
}
