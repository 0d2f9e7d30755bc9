// What the main thread and its worker break: a store, and a fault that has its reads answer with a mark.
import { defineFault, option } from '@chaos/core/authoring'

/** Makes a store whose reads answer `whole`. */
export const store = () => ({ read: () => Promise.resolve('whole') })

export const markReads = defineFault({
  name: 'test/mark-reads',
  kind: 'standing',
  summary: 'Has reads answer with a mark.',
  options: { mark: option.text('The mark.') },
  target: { expects: 'a store', accepts: (value) => typeof value?.read === 'function' },
  inject(target, { mark }, context) {
    const reads = context.operation('read')
    context.patch(
      target,
      'read',
      (below) =>
        function read(...args) {
          return reads.shouldInject(args) ? Promise.resolve(mark) : below.call.apply(this, args)
        },
    )
  },
})
