import { errorInfo } from '@chaos/control'
import { isChaosError } from '@chaos/core'

/** Exit codes of the command, as those of `chaos`. */
export const EXIT = {
  ok: 0,
  internal: 1,
  /** A usage error: an unknown command, option or process. */
  usage: 2,
  /** No process could be reached. */
  unreachable: 3,
  /** Refused: no terminal, not confirmed, production, or chaos is switched off. */
  refused: 4,
} as const

/** The exit code of an error. */
export function exitCodeOfError(error: unknown): number {
  return isChaosError(error) ? EXIT[errorInfo(error.code).kind] : EXIT.internal
}
