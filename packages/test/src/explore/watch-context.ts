import { currentScope } from '@chaos/core'
import type { InjectionContext, Operation } from '@chaos/core/authoring'
import type { Kind } from './kinds.js'
import type { WatchedCall } from './points.js'

/** Called for each call, with the kinds that see it as one. */
export type OnSeen = (kinds: readonly Kind[], call: WatchedCall) => void

/** Gives kinds of faults contexts in which they see operations and choose none. Kinds that see the same calls arm one seam. */
export class WatchContexts {
  /** The kinds that see the same, by target and seam. */
  readonly #alike = new Map<object, Map<string, Kind[]>>()

  constructor(
    readonly context: InjectionContext,
    readonly onSeen: OnSeen,
  ) {}

  /** The context of an injection, for one kind. */
  of(kind: Kind): InjectionContext {
    let alike = [kind]
    const isWatched = (target: object, seam: string): boolean => {
      const ofTarget = this.#alike.get(target) ?? new Map<string, Kind[]>()
      this.#alike.set(target, ofTarget)
      const known = ofTarget.get(seam)
      // The kind that came last sees a call first.
      known?.unshift(kind)
      ofTarget.set(seam, known ?? (alike = [kind]))
      return known !== undefined
    }
    const operation = (name: string | symbol): Operation => new WatchedOperation(name, alike, this.onSeen)
    return Object.create(this.context, {
      operation: { value: operation },
      isWatched: { value: isWatched },
    }) as InjectionContext
  }
}

/** An operation that is seen and never chosen. */
class WatchedOperation implements Operation {
  /** Whoever watches reads the arguments. */
  readonly readsArguments = true

  constructor(
    readonly name: string | symbol,
    readonly kinds: readonly Kind[],
    readonly onSeen: OnSeen,
  ) {}

  covers(): boolean {
    return true
  }
  shouldInject(args: ArrayLike<unknown>): boolean {
    this.onSeen(this.kinds, { operation: this.name, scope: currentScope(), args })
    return false
  }
  chance(args: ArrayLike<unknown>): undefined {
    this.shouldInject(args)
  }
}
