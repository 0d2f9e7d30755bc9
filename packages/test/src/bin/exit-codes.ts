import { isChaosError } from '@chaos/core'

/** Exit codes of the command: the numbers of `chaos`. */
export const EXIT = {
  /** Nothing was found. The line says whether anything was left out. */
  ok: 0,
  /** A failure of the command. */
  internal: 1,
  /** A usage error: unknown option, target, fault or file. */
  usage: 2,
  /** The app could not be reached. */
  unreachable: 3,
  /** The app, or its environment, refused. */
  refused: 4,
  /** Some set of faults broke an invariant: `weakness-found`. */
  found: 10,
  /** The app could not be explored, or with `--complete`, sets were left out: `inconclusive`. */
  inconclusive: 16,
  /** Interrupted by the user or a signal. What was in force has been rolled back. */
  interrupted: 130,
} as const

const CODES: Readonly<Record<string, number>> = {
  CHAOS_INVALID_OPTION: EXIT.usage,
  CHAOS_INVALID_EXPERIMENT: EXIT.usage,
  CHAOS_UNKNOWN_TARGET: EXIT.usage,
  CHAOS_UNKNOWN_FAULT: EXIT.usage,
  CHAOS_NO_PROCESS: EXIT.usage,
  CHAOS_SEVERAL_PROCESSES: EXIT.usage,
  CHAOS_ENDPOINT_UNREACHABLE: EXIT.unreachable,
  CHAOS_UNAUTHORIZED: EXIT.refused,
  CHAOS_FORBIDDEN: EXIT.refused,
  CHAOS_ENVIRONMENT_REFUSED: EXIT.refused,
  CHAOS_DISABLED: EXIT.refused,
  CHAOS_NOT_EXPLORED: EXIT.inconclusive,
}

/** The exit code of an error. */
export const exitCodeOfError = (error: unknown): number =>
  (isChaosError(error) ? CODES[error.code] : undefined) ?? EXIT.internal
