import { printable, printableJson } from '@chaos/core/authoring'

/** The streams and signals of the command. Tests pass their own. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether output goes to a terminal, on which a view may be drawn again. */
  readonly isTerminal: boolean
  /** The size of the terminal, in characters. */
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
}

/** The longest printed line, in characters. */
const MAX_LINE = 10_000

/**
 * The output of the command. Names and texts from the fleet are untrusted: their control characters and line feeds are
 * escaped, so that they can neither move the cursor nor begin a new line.
 */
export interface Terminal extends Io {
  /** Prints one line on standard output. */
  readonly out: (line: string) => void
  /** Prints one line on standard error. */
  readonly err: (line: string) => void
  /** Prints lines of our own making as they are, on standard output. */
  readonly raw: (text: string) => void
  /** Draws lines from the top of the terminal, each cut to its width, and clears what is below. */
  readonly draw: (lines: readonly string[], columns: number) => void
  /** Prints a value as JSON, indented or on one line. Nothing is cut. */
  readonly json: (value: unknown, options?: { readonly isOneLine?: boolean }) => void
}

export function terminal(io: Io): Terminal {
  const shown = (line: string): string => printable(line, { max: MAX_LINE })
  return {
    ...io,
    out: (line) => io.out(shown(line)),
    err: (line) => io.err(shown(line)),
    raw: (text) => io.out(text),
    draw: (lines, columns) =>
      io.out(`\u001b[H${lines.map((line) => `${shown(line).slice(0, columns)}\u001b[K`).join('\n')}\u001b[J`),
    json: (value, { isOneLine = false } = {}) =>
      io.out(printableJson(JSON.stringify(value, null, isOneLine ? undefined : 2))),
  }
}
