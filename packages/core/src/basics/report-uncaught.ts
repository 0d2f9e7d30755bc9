import { soon } from './clock.js'

/**
 * Throws an error where nobody of ours is on the stack, so that it ends as an uncaught exception:
 * someone else's listener neither breaks our loop nor is swallowed.
 */
export function reportUncaught(error: unknown): void {
  soon(() => {
    throw error
  })
}
