import type { AnyFunction } from '@chaos/core/authoring'
import type { Steps } from '../../seams/bus.js'
import type { ConsumerLike, ConsumerMessagesLike } from './messages.js'

/** The sources of the messages of a bus: running iterators, and a consumer that creates more. */
export interface JetStreamOutlet {
  readonly messages: readonly ConsumerMessagesLike[]
  readonly consumer: ConsumerLike | undefined
}

/** The consumers of the iterators, and the bound consumer. */
export function consumersOf({ messages, consumer }: JetStreamOutlet): ReadonlySet<unknown> {
  return new Set<unknown>([
    ...messages.map((one): unknown => Reflect.get(one, 'consumer')),
    ...(consumer === undefined ? [] : [consumer]),
  ])
}

/**
 * Finds the classes of the iterators, each once: those of running iterators at once, that of the consumer when it creates an
 * iterator. Their module does not export them.
 */
export function withEachClass(outlet: JetStreamOutlet, steps: Steps, lay: (prototype: object) => void): void {
  const found = new Set<object>()
  let hasEnded = false
  steps.defer(() => void (hasEnded = true))
  const find = (iterator: object): void => {
    const prototype = Object.getPrototypeOf(iterator) as object
    if (hasEnded || found.has(prototype)) return
    found.add(prototype)
    lay(prototype)
  }
  outlet.messages.forEach(find)
  const { consumer } = outlet
  if (consumer === undefined) return
  const layer = (below: { readonly call: AnyFunction }): AnyFunction =>
    function (this: unknown, ...args: readonly unknown[]): unknown {
      return (below.call.apply(this, args) as Promise<object>).then((iterator) => {
        find(iterator)
        return iterator
      })
    }
  // `next` calls `fetch`, which only a pull consumer has.
  for (const method of ['consume', 'fetch']) if (method in consumer) steps.patch(consumer, method, layer)
}
