import type { InjectionState } from '@chaos/core'
import { readBatch } from '../arguments/batch-file.js'
import type { CommonFlags } from '../arguments/command-options.js'
import { EXIT } from '../process/exit-codes.js'
import { injectionLine, replayLine } from '../view/lines.js'
import type { Terminal } from '../view/terminal.js'
import { announceInterruption, interrupted, processGone, withClient } from './command.js'
import { untilEnded } from './until-ended.js'

/** The options of `chaos batch`. */
export interface BatchFlags extends CommonFlags {
  readonly hold?: 'lease' | 'connection'
}

/**
 * Injects the faults of a file: all of them, or none. With `--hold connection`, the command runs until all have ended, or until
 * the user interrupts, which ends them.
 *
 * @returns The exit code.
 */
export async function batch(path: string, flags: BatchFlags, io: Terminal): Promise<number> {
  const { hold = 'lease' } = flags
  const injections = await readBatch(path)
  return withClient(flags, io, async (client) => {
    const arming = client.injectAll(injections, { hold })
    const states = await Promise.race([arming, interrupted(io.signal)])
    if (states === undefined) {
      arming.catch(() => undefined)
      io.err(`interrupted (${String(io.signal.reason)}): rolling back what is in force`)
      return EXIT.interrupted
    }
    report(states, flags, io)
    if (hold === 'lease') return EXIT.ok
    const silence = announceInterruption(io)
    const ended = await Promise.all(states.map((state) => untilEnded(client, state, io)))
    silence()
    report(
      ended.filter((state) => state !== undefined),
      flags,
      io,
    )
    if (io.signal.aborted) return EXIT.interrupted
    if (ended.includes(undefined)) throw processGone('A process that still runs has rolled the faults back.')
    return EXIT.ok
  })
}

function report(states: readonly InjectionState[], { json }: BatchFlags, io: Terminal): void {
  if (json === true) {
    io.json(states)
    return
  }
  for (const state of states) {
    io.out(injectionLine(state, Date.now()))
    for (const evidence of state.evidence) io.out(`  ${JSON.stringify(evidence)}`)
    if (state.status !== 'ended') io.out(`  ${replayLine(state)}`)
  }
}
