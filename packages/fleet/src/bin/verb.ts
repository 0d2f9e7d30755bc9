import type { Arguments, OptionSpecs } from './arguments/arguments.js'
import type { Terminal } from './process/terminal.js'

/** One verb of the command. */
export interface Verb {
  readonly summary: string
  /** What follows the verb, for help: `<experiment> | <target> <fault>`. */
  readonly usage?: string
  /** More for help: whole lines. */
  readonly notes?: readonly string[]
  readonly options: OptionSpecs
  /** The most arguments besides options. */
  readonly maxPositionals?: number
  /** @returns The exit code. */
  readonly run: (args: Arguments, io: Terminal) => Promise<number>
}
