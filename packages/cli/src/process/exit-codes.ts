/** Exit codes of the command. Those of verdicts (10 to 16) are in `@chaos/experiment`. */
export const EXIT = {
  ok: 0,
  /** A failure of the command, or of a fault. */
  internal: 1,
  /** A mistake in the call: unknown target, fault, option or file. */
  usage: 2,
  /** No process could be reached. */
  unreachable: 3,
  /** The process refused: its environment, a switch, a token. */
  refused: 4,
  /** Every verdict is a pass, but the reports could not be written. */
  reportNotWritten: 17,
  /** Interrupted by the user or a signal. Injections have been stopped. */
  interrupted: 130,
} as const
