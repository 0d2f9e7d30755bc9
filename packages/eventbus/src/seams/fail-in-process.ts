import type { Failure } from './bus.js'

/**
 * Fails outside the client: as an uncaught exception on the next tick, or as an unhandled rejection.
 *
 * For clients that stop reading for good when a listener throws. The failure must not outlast the fault.
 */
export function failInProcess(error: Error, how: Failure): unknown {
  if (how === 'reject') return Promise.reject(error)
  process.nextTick(() => {
    throw error
  })
  return undefined
}
