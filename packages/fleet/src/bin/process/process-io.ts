import { messageOf } from '@chaos/core/authoring'
import { LEASE_MS } from '../../plan/check-plan.js'
import { EXIT } from './exit-codes.js'
import type { Io } from './terminal.js'

/** Signals that end a process: Ctrl-C, `kill`, a closed terminal, Ctrl-\\, Ctrl-Break on Windows. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK'] as const

/** The longest time from an ending signal to the end, in ms: the longest lease, after which each instance is whole, and the time to tell of it. */
const GRACE_MS = LEASE_MS.max + 15_000

/**
 * Connects the command to the streams and signals of this process.
 *
 * The first ending signal interrupts the command, which ends its runs and waits until every instance is whole. Further signals
 * are ignored: the runs would not end sooner, and nobody would wait for it.
 */
export function processIo(): Io {
  const abort = new AbortController()
  const err = (text: string): void => void process.stderr.write(`${text}\n`)
  const interrupt = (reason: string): void => {
    if (abort.signal.aborted) return
    abort.abort(reason)
    setTimeout(() => {
      err(`error: The command did not end within ${GRACE_MS / 1_000} s of being interrupted.`)
      err('next: see what is in force with `chaos fleet watch --once`; each instance reverts within its lease')
      process.exit(process.exitCode ?? EXIT.interrupted)
    }, GRACE_MS).unref()
  }
  for (const signal of ENDING_SIGNALS)
    process.on(signal, () => {
      if (abort.signal.aborted) err(`${signal}: already ending; every instance is whole within the lease`)
      else interrupt(signal)
    })
  const fail = (what: string, thrown: unknown): void => {
    if (process.exitCode === EXIT.internal) return
    process.exitCode = EXIT.internal
    // A module of an experiment may throw anything. The runs still have to end.
    interrupt('it failed')
    err(`error: ${what}: ${messageOf(thrown, { max: 1_000 })}`)
  }
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      // A closed output (`chaos fleet watch | head`) counts as an interruption.
      if (code === 'EPIPE') interrupt('its output was closed')
      else fail('Output cannot be written', message)
    })
  process.on('uncaughtException', (error: unknown) => fail('Uncaught error', error))
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err,
    isTerminal: process.stdout.isTTY,
    size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
    signal: abort.signal,
  }
}
