import { onAbort } from '../../basics/on-abort.js'
import type { CommandOptions, QueuePlace } from './client.js'

/** The limits of a command that waits to be written. */
export interface Limits {
  /** The options to queue the command with. */
  readonly options: CommandOptions | undefined
  /** Takes the limits off, as node-redis does when it writes a command. */
  readonly lift: () => void
  /** The error of the limit that has ended the command, else the given one. */
  readonly errorOf: (error: unknown) => unknown
}

const nothing = (): void => undefined

/** Used if the application has bundled node-redis. */
class TimeoutError extends Error {}

/**
 * Sets the limits of a command (`abortSignal`, `timeout`) such that they can be lifted. The queue lifts its own when it
 * writes a command; a command that it drops while it writes would be removed a second time.
 */
export function limitsOf(options: CommandOptions | undefined, { errors }: QueuePlace): Limits {
  const { abortSignal, timeout } = options ?? {}
  if (abortSignal === undefined && !timeout) return { options, lift: nothing, errorOf: (error) => error }
  let isLate = false
  const limit = new AbortController()
  if (abortSignal?.aborted === true) limit.abort()
  const expiry = timeout ? AbortSignal.timeout(timeout) : undefined
  const stops = [
    abortSignal && onAbort(abortSignal, () => limit.abort()),
    expiry &&
      onAbort(expiry, () => {
        isLate = true
        limit.abort()
      }),
  ]
  return {
    options: { ...options, abortSignal: limit.signal, timeout: undefined },
    lift: () => {
      for (const stop of stops) stop?.()
    },
    errorOf(error) {
      if (!isLate) return error
      const { TimeoutError: theirs = TimeoutError } = errors
      return new (theirs as new () => Error)()
    },
  }
}
