import type { Readable, Writable } from 'node:stream'

/** The environment of the command. Tests pass their own. */
export interface Io {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  readonly env: NodeJS.ProcessEnv
  /** Whether a person types and reads: standard input and output are both a terminal. */
  readonly isTerminal: boolean
  /** Asks the person at the terminal. @returns The line typed; `undefined` if input ended. */
  readonly ask: (question: string) => Promise<string | undefined>
  /** The streams of the protocol. */
  readonly input: Readable
  readonly output: Writable
  /** The folder that the command was started in. */
  readonly folder: string
  /** Aborts when the user or the system ends the command. */
  readonly signal: AbortSignal
}
