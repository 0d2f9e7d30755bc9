import { isChaosError } from '@chaos/core'

/** Exit codes of the command: the numbers of `chaos`. `EXIT_CODES` of `@chaos/experiment` has the codes of verdicts (0 and 10 to 16). */
export const EXIT = {
  ok: 0,
  /** A failure of the command. */
  internal: 1,
  /** A usage error: unknown verb, option, target, fault or file. */
  usage: 2,
  /** The engine could not be reached, or a run was lost. */
  unreachable: 3,
  /** The engine, the policy, the caps or the instances refused. */
  refused: 4,
  /** An experiment that ended without a verdict on the system, and a run that was cut short: `inconclusive`. */
  inconclusive: 16,
  /** Every verdict is a pass, but the reports could not be written. */
  reportNotWritten: 17,
  /** Interrupted by the user or a signal. Every run of the command has ended. */
  interrupted: 130,
} as const

interface Kind {
  readonly exit: number
  /** The next step for the user. Absent if the message or the help of the verb states it. */
  readonly next?: string
}

/** What the errors of a fleet are for whoever typed the command. `chaos` treats them alike. */
const KINDS: Readonly<Record<string, Kind>> = {
  CHAOS_INVALID_OPTION: { exit: EXIT.usage },
  CHAOS_INVALID_EXPERIMENT: { exit: EXIT.usage },
  CHAOS_REPORT_NOT_WRITTEN: {
    exit: EXIT.usage,
    next: 'choose another folder with --report; nothing was broken',
  },
  CHAOS_UNKNOWN_TARGET: { exit: EXIT.usage, next: 'list the instances and their targets with `chaos fleet ls`' },
  CHAOS_UNKNOWN_FAULT: { exit: EXIT.usage, next: 'list the faults of each target with `chaos fleet ls`' },
  CHAOS_EXPERIMENT_REFUSED: {
    exit: EXIT.refused,
    next: 'nothing was broken; remove the reason above, then run it again',
  },
  CHAOS_ROLLBACK_FAILED: {
    exit: EXIT.internal,
    next: 'end everything with `chaos fleet halt --reason "…"`; each instance reverts within its lease',
  },
  CHAOS_FLEET_PLAN_REFUSED: { exit: EXIT.refused },
  CHAOS_FLEET_RUN_REFUSED: {
    exit: EXIT.refused,
    next: 'see every reason at once with `chaos fleet plan`; no instance is affected',
  },
  CHAOS_FLEET_RUN_LOST: {
    exit: EXIT.unreachable,
    next: 'watch the instances revert within their lease with `chaos fleet watch --once`',
  },
  CHAOS_FLEET_JOURNAL_BROKEN: { exit: EXIT.usage },
  CHAOS_FLEET_UNREACHABLE: {
    exit: EXIT.unreachable,
    next: 'check the address of the fleet; instances that cannot reach it either revert within their lease',
  },
  CHAOS_FLEET_FORBIDDEN: { exit: EXIT.refused, next: 'use the credential of the role that may do this' },
  CHAOS_FLEET_IRREVERSIBLE: { exit: EXIT.refused },
  CHAOS_FLEET_KEY_REFUSED: { exit: EXIT.usage },
}

const kindOf = (error: unknown): Kind | undefined => (isChaosError(error) ? KINDS[error.code] : undefined)

/** The exit code of an error. */
export const exitCodeOfError = (error: unknown): number => kindOf(error)?.exit ?? EXIT.internal

/** The next step for the user after an error. */
export function nextStep(error: unknown, verb: string | undefined): string {
  return kindOf(error)?.next ?? `see \`chaos fleet ${verb === undefined ? '' : `${verb} `}--help\``
}
