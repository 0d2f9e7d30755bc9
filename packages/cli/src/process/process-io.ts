import type { Io } from '../view/io.js'
import { EXIT } from './exit-codes.js'

/** Signals that end a process: Ctrl-C, `kill`, a closed terminal, Ctrl-\\, Ctrl-Break on Windows. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK'] as const

/** The longest time for a rollback after an ending signal, in ms. */
const GRACE_MS = 15_000

/** The most printed lines of an uncaught error. */
const MAX_LINES = 20

/**
 * Connects the command to the streams and signals of this process.
 *
 * The first ending signal interrupts the command, which rolls back its injections. Further signals are ignored, because
 * ending early would leave the injections in force until their leases end. After 15 s, the process ends in any case.
 */
export function processIo(): Io {
  const abort = new AbortController()
  const err = (text: string): void => void process.stderr.write(`${text}\n`)
  const interrupt = (reason: string): void => {
    if (abort.signal.aborted) return
    abort.abort(reason)
    setTimeout(() => {
      err(`error: The rollback did not finish within ${GRACE_MS / 1_000} s.`)
      err('next: list the injections in force with `chaos status`; they end with their leases')
      process.exit(process.exitCode ?? EXIT.interrupted)
    }, GRACE_MS).unref()
  }
  const onSignal = (signal: string): void => {
    if (abort.signal.aborted) err(`${signal}: already rolling back; this takes at most ${GRACE_MS / 1_000} s`)
    else interrupt(signal)
  }
  for (const signal of ENDING_SIGNALS) process.on(signal, onSignal)
  const fail = (what: string, thrown: unknown): void => {
    if (process.exitCode === EXIT.internal) return
    process.exitCode = EXIT.internal
    interrupt('it failed')
    void Promise.all([import('@chaos/core/authoring'), import('../view/terminal.js')]).then(
      ([{ readSafely }, { red, terminal }]) => {
        // A thrown value may itself throw when it is read. The process must survive to roll back its injections.
        const stack = readSafely(() => String(thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown))
        const [first = '', ...more] = stack.split('\n').slice(0, MAX_LINES)
        const said = terminal(io)
        said.err(red('error'), `: ${what}: ${first}`)
        for (const line of more) said.err(line)
      },
    )
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      // A closed output (`chaos watch | head`) counts as an interruption.
      if (code === 'EPIPE') interrupt('its output was closed')
      else fail('Output cannot be written', message)
    })
  }
  process.on('uncaughtException', (error: unknown) => fail('Uncaught error', error))
  const io: Io = {
    out: (text) => void process.stdout.write(`${text}\n`),
    err,
    isTerminal: process.stdout.isTTY,
    env: process.env,
    signal: abort.signal,
    discover: async () => (await import('@chaos/control')).discover(),
    connect: async (address) => (await import('@chaos/control')).connect(address),
  }
  return io
}
