import { soon } from './clock.js'

/**
 * Throws an error in a microtask, so that it ends as an uncaught exception. An error of an application's callback is then
 * neither swallowed nor able to break the loop that calls the callbacks.
 */
export function reportUncaught(error: unknown): void {
  soon(() => {
    throw error
  })
}
