import type { RedisClient } from './client.js'

/** A call of a client that queues commands: those of the application, and no others. */
export interface CurrentCall {
  readonly client: RedisClient
  /** What the faults keep together of a transaction, by fault. Other commands stand alone. */
  readonly transactions?: Map<object, unknown>
}

let current: CurrentCall | undefined

/** The call that queues commands now. */
export const currentCall = (): CurrentCall | undefined => current

/** Runs a function that queues commands, on behalf of a call. */
export function during<Result>(call: CurrentCall, work: () => Result): Result {
  const before = current
  current = call
  try {
    return work()
  } finally {
    current = before
  }
}
