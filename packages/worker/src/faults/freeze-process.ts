import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import { startResumeWatchdog } from './resume-watchdog.js'
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
  periodMs: option.optional(option.count('Length of one period, in ms.', 1), 100),
  longestMs: option.optional(
    option.durationMs('Time after which a guard process resumes the process in any case, in ms.'),
    60_000,
  ),
  ...processSelection,
}

/** Options of {@link freezeProcess}. */
export type FreezeProcessOptions = OptionsOf<typeof freezeProcess>

/**
 * Freezes running child processes with SIGSTOP and resumes them with SIGCONT.
 *
 * Models a process that hangs without dying: swapped out, stopped in a debugger, or starved by its host. Its sockets stay
 * open and accept connections, and its channels fill up. The process is resumed when the fault ends. A guard process also
 * resumes it if this process is killed with SIGKILL, and after `longestMs` in any case.
 *
 * An operation is one period of one process, named `freeze`: at `rate` 0.5 the process stutters. Needs `/bin/sh`; not
 * available on Windows.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on Windows, `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER`
 *   if no running process matches.
 */
export const freezeProcess = defineFault({
  name: 'worker/freeze-process',
  kind: 'standing',
  summary: 'Freezes running child processes, and resumes them in any case.',
  options,
  target: { expects: PROCESS_TARGET, accepts: isProcessTarget },
  check: selectionFits('worker/freeze-process'),
  async inject(target: ProcessTarget, options, context) {
    if (process.platform === 'win32')
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        'worker/freeze-process needs SIGSTOP, which Windows does not have. Run it on another operating system.',
      )
    const chosen = chooseProcesses(target, options)
    await Promise.all(chosen.map(({ pid }) => startResumeWatchdog(pid as number, options.longestMs, context)))
    const operation = context.operation('freeze')
    const stopped = new Set<ProcessLike>()
    const resume = (one: ProcessLike): void => {
      if (stopped.delete(one) && isRunning(one)) one.kill('SIGCONT')
    }
    context.defer(() => stopped.forEach(resume))
    repeat(context, options.periodMs, () => {
      for (const one of chosen) {
        if (!isRunning(one)) continue
        if (!operation.shouldInject([one])) {
          resume(one)
          continue
        }
        if (!stopped.has(one)) one.kill('SIGSTOP')
        stopped.add(one)
        lastFor(context, options.periodMs)
      }
    })
  },
})
