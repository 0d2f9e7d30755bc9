import { isChaosError, type Clock } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'

/** What an agent asks of the engine. */
type Call = 'read' | 'ack'

/** Tells of an engine that does not answer, and that it answers again. */
export interface Outages {
  readonly failed: (call: Call, error: unknown) => void
  readonly works: (call: Call) => void
}

/** The shortest time between two lines about the same kind of trouble, in ms. */
const QUIET_MS = 60_000

/**
 * Logs one line for each kind of trouble, by the code of its error, and one when all calls work again. Trouble that comes and
 * goes is told of once a minute.
 */
export function outages(clock: Clock, log: (line: string) => void): Outages {
  const failing = new Set<Call>()
  /** The kinds of trouble that were told of, and are not over. */
  const told = new Set<string>()
  const quietUntil = new Map<string, number>()
  return {
    failed(call, error) {
      failing.add(call)
      const kind = isChaosError(error) ? error.code : 'another error'
      const now = clock.now()
      if (told.has(kind) || now < (quietUntil.get(kind) ?? Number.NEGATIVE_INFINITY)) return
      told.add(kind)
      quietUntil.set(kind, now + QUIET_MS)
      log(
        `The engine of the fleet does not answer: ${messageOf(error)} The application is not affected; a fault in force ends with its lease.`,
      )
    },
    works(call) {
      failing.delete(call)
      if (failing.size > 0 || told.size === 0) return
      told.clear()
      log('The engine of the fleet answers again.')
    },
  }
}
