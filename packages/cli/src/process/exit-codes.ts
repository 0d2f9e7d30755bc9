/** Exit codes of the command, beside those of verdicts (10 to 16, by `@chaos/experiment`). */
export const EXIT = {
  ok: 0,
  /** A failure of the tool itself, or of a fault. */
  internal: 1,
  /** A mistake in how it was called: unknown target, fault, option, file. */
  usage: 2,
  /** No process could be reached. */
  unreachable: 3,
  /** The process refused: its environment, a switch, a token. */
  refused: 4,
  /** Every verdict is a pass, and the reports that were asked for could not be written. Beside the codes of verdicts. */
  reportNotWritten: 17,
  /** Broken off by the user or a signal; what was in force has been stopped. */
  interrupted: 130,
} as const
