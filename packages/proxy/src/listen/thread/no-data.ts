import { ChaosError } from '@chaos/core'

/** The error for what cannot be sent to a thread. @param what Such as `The option x`. */
export function noData(what: string, cause: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_INVALID_OPTION',
    `${what} cannot be sent to the worker thread of the proxy, which takes data only. Leave out functions and other live objects, or make the proxy without \`worker\`.`,
    { cause },
  )
}

/** The first option that cannot be sent. */
export function liveOption(options: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(options).find((name) => {
    try {
      structuredClone(options[name])
      return false
    } catch {
      return true
    }
  })
}
