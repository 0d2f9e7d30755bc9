/** Exit codes of the command. `EXIT_CODES` of `@chaos/experiment` has the codes of verdicts (0 and 10 to 16). */
export const EXIT = {
  ok: 0,
  /** A failure of the command, or of a fault. */
  internal: 1,
  /** A usage error: unknown target, fault, option or file. */
  usage: 2,
  /** No process could be reached. */
  unreachable: 3,
  /** The process refused because of its environment, a switch or a token, or an experiment was refused. */
  refused: 4,
  /** Every verdict is a pass, but the reports could not be written. */
  reportNotWritten: 17,
  /** Interrupted by the user or a signal. The command's injections have been stopped. */
  interrupted: 130,
} as const
