import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { watchOverStopped } from './resume-watchdog.js'
import {
  isProcessTarget,
  isRunning,
  PROCESS_TARGET,
  type ProcessLike,
  type ProcessTarget,
} from '../targets/processes.js'
import { chooseProcesses, processSelection, selectionFits } from '../threads/selection.js'
import { lastFor } from './last-for.js'

const options = {
  periodMs: option.optional(option.count('The process is stopped for so long at a time, in ms.', 1), 100),
  longestMs: option.optional(
    option.durationMs('After so long, in ms, the process goes on even if nobody lives to say so.'),
    60_000,
  ),
  ...processSelection,
}

/** Options of {@link freezeProcess}. */
export type FreezeProcessOptions = OptionsOf<typeof freezeProcess>

/**
 * Stops running child processes with SIGSTOP, and lets them go on with SIGCONT.
 *
 * Models a process that hangs without dying: swapped out, in a debugger, starved by its host. Its sockets stay open and accept, its
 * channels fill. It always goes on: when the fault ends, and through a guard process also when this process dies by SIGKILL, or after
 * `longestMs`. An operation is one period of one process, named `freeze`: at `rate` 0.5 it stutters. Not on Windows.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on Windows, `CHAOS_INVALID_OPTION` when options do not fit `select`, `CHAOS_NO_LIVE_WORKER`
 *   when no process runs
 */
export const freezeProcess = defineFault({
  name: 'worker/freeze-process',
  kind: 'standing',
  summary: 'Stops running child processes, and always lets them go on.',
  options,
  target: { expects: PROCESS_TARGET, accepts: isProcessTarget },
  check: selectionFits('worker/freeze-process'),
  async inject(target: ProcessTarget, options, context) {
    if (process.platform === 'win32')
      throw new ChaosError('CHAOS_TARGET_MISMATCH', 'Expected a system that can stop a process (SIGSTOP), got Windows.')
    const chosen = chooseProcesses(target, options)
    await Promise.all(chosen.map(({ pid }) => watchOverStopped(pid as number, options.longestMs, context)))
    const operation = context.operation('freeze')
    const stopped = new Set<ProcessLike>()
    const goOn = (one: ProcessLike): void => {
      if (stopped.delete(one) && isRunning(one)) one.kill('SIGCONT')
    }
    context.defer(() => stopped.forEach(goOn))
    repeat(context, options.periodMs, () => {
      for (const one of chosen) {
        if (!isRunning(one)) continue
        if (!operation.shouldInject([one])) {
          goOn(one)
          continue
        }
        if (!stopped.has(one)) one.kill('SIGSTOP')
        stopped.add(one)
        lastFor(context, options.periodMs)
      }
    })
  },
})
