import { messageOf } from '@chaos/core/authoring'
import { EXIT } from './exit-codes.js'

/** The streams and signals of the command. Tests pass their own. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether progress may be shown on a line that is drawn again. */
  readonly isTerminal: boolean
  readonly env: NodeJS.ProcessEnv
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal
}

/** Signals that end a process: Ctrl-C, `kill`, a closed terminal, Ctrl-\\, Ctrl-Break on Windows. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK'] as const

/** The longest time from a signal to the end, in ms. The app ends what the command holds when its connection ends. */
const GRACE_MS = 30_000

/** Connects the command to the streams and signals of this process. The first signal interrupts it, which rolls back what is in force. */
export function processIo(): Io {
  const abort = new AbortController()
  const err = (text: string): void => void process.stderr.write(text)
  const interrupt = (reason: string): void => {
    if (abort.signal.aborted) return
    abort.abort(reason)
    setTimeout(() => {
      err(`error: The command did not end within ${GRACE_MS / 1_000} s of being interrupted.\n`)
      process.exit(EXIT.interrupted)
    }, GRACE_MS).unref()
  }
  for (const signal of ENDING_SIGNALS) process.on(signal, () => interrupt(signal))
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupt('its output was closed'))
  process.on('uncaughtException', (error: unknown) => {
    process.exitCode = EXIT.internal
    err(`error: Uncaught error: ${messageOf(error, { max: 1_000 })}\n`)
    interrupt('it failed')
  })
  return {
    out: (text) => void process.stdout.write(text),
    err,
    isTerminal: process.stderr.isTTY,
    env: process.env,
    signal: abort.signal,
  }
}
