import type { Failure } from './bus.js'

/**
 * A listener that fails outside its client: as an uncaught exception on the next tick, or as a rejection that nobody handles.
 *
 * For clients that a throwing listener leaves deaf for good, since it takes their reader down: a fault ends with all that it did.
 */
export function failInProcess(error: Error, how: Failure): unknown {
  if (how === 'reject') return Promise.reject(error)
  process.nextTick(() => {
    throw error
  })
  return undefined
}
