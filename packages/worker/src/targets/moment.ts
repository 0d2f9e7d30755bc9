import { option, type InjectionContext } from '@chaos/core'
import type { WorkerLike } from './workers.js'

/** When an instant fault strikes the workers it has chosen. */
export const strikeMoment = {
  when: option.optional(option.oneOf(['now', 'message', 'mid-task'], 'When to strike: now, at the n-th message from the worker, or right after the next message to it.'), 'now'),
  messages: option.optional(option.count('With `when: message`: at which message from the worker, from 1.', 1), 1),
}

interface Moment {
  readonly when: 'now' | 'message' | 'mid-task'
  readonly messages: number
}

/** Waits until it is time to strike a worker: `mid-task` is the very moment in which work was handed to it. The lease bounds the wait. */
export function momentOf(worker: WorkerLike, { when, messages }: Moment, { patch }: InjectionContext): Promise<void> {
  return new Promise((resolve) => {
    if (when === 'now') resolve()
    else if (when === 'mid-task') {
      patch(worker, 'postMessage', (below) =>
        function postMessage(this: unknown, ...args: unknown[]): void {
          Reflect.apply(below.call, this, args)
          resolve()
        })
    } else {
      let left = messages
      patch(worker, 'emit', (below) =>
        function emit(this: unknown, ...args: unknown[]): unknown {
          const heard: unknown = Reflect.apply(below.call, this, args)
          if (args[0] === 'message' && (left -= 1) === 0) resolve()
          return heard
        })
    }
  })
}
