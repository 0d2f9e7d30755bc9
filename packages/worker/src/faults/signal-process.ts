import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { exitOf } from '../threads/exit.js'
import { waitUntilStrike, strikeTiming } from '../threads/strike-timing.js'
import { isProcessTarget, PROCESS_TARGET, type ProcessTarget } from '../targets/processes.js'
import { chooseProcesses, processSelection, selectionFits } from '../threads/selection.js'

const options = {
  signal: option.optional(
    option.oneOf(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'], 'The signal.'),
    'SIGKILL',
  ),
  patienceMs: option.optional(
    option.durationMs('How long the process is given to end, in ms, before it counts as one that ignores the signal.'),
    5_000,
  ),
  ...processSelection,
  ...strikeTiming,
}

/** Options of {@link signalProcess}. */
export type SignalProcessOptions = OptionsOf<typeof signalProcess>

/**
 * Sends a signal to running child processes and waits to see what comes of it.
 *
 * Models a process that the kernel, an operator or an orchestrator ends. The evidence says how it ended, or that it ignored the signal. An
 * operation is a candidate, named `signal`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when options do not fit `select`, `CHAOS_NO_LIVE_WORKER` when no process runs,
 *   `CHAOS_TARGET_MISMATCH` when a moment is asked for of a process without a channel, `CHAOS_INJECTION_ENDED` when it never comes
 */
export const signalProcess = defineFault({
  name: 'worker/signal-process',
  kind: 'instant',
  summary: 'Sends a signal to running child processes.',
  options,
  target: { expects: PROCESS_TARGET, accepts: isProcessTarget },
  check: selectionFits('worker/signal-process'),
  async inject(target: ProcessTarget, options, context) {
    const { clock, landed } = context
    const chosen = chooseProcesses(target, options)
    const operation = context.operation('signal')
    await Promise.all(
      chosen
        .filter((one) => operation.shouldInject([one]))
        .map(async (one) => {
          const { pid } = one
          await waitUntilStrike(one, options, context)
          const sentAt = clock.now()
          const patience = new AbortController()
          const exited = exitOf(one, patience.signal)
          const cancel = clock.after(options.patienceMs, () => patience.abort())
          context.defer(() => {
            cancel()
            patience.abort()
          })
          one.kill(options.signal)
          const outcome = await exited.then(
            ([exitCode, endedBy]) => ({ exitCode, endedBy }),
            () => ({ ignored: true }),
          )
          landed({ pid, signal: options.signal, ...outcome, tookMs: clock.now() - sentAt })
        }),
    )
  },
})
