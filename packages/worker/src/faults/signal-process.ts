import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { exitOf } from '../threads/exit.js'
import { strikeEach } from '../threads/strike-each.js'
import { waitUntilStrike, strikeTiming } from '../threads/strike-timing.js'
import { isProcessTarget, PROCESS_TARGET, type ProcessTarget } from '../targets/processes.js'
import { chooseProcesses, processSelection, selectionFits } from '../threads/selection.js'

const options = {
  signal: option.optional(
    option.oneOf(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'], 'Signal to send.'),
    'SIGKILL',
  ),
  patienceMs: option.optional(
    option.durationMs(
      'Time in which the process must end, in ms. Otherwise the evidence says that it ignored the signal.',
    ),
    5_000,
  ),
  ...processSelection,
  ...strikeTiming,
}

/** Options of {@link signalProcess}. */
export type SignalProcessOptions = OptionsOf<typeof signalProcess>

/**
 * Sends a signal to running child processes and waits for them to end.
 *
 * Models a process that the kernel, an operator or an orchestrator ends. The evidence says how the process ended, or that it
 * ignored the signal. An operation is one chosen process, named `signal`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no running process matches.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `when` is not `now` and the process has no IPC channel, `CHAOS_INJECTION_ENDED` if no
 *   awaited message passes that channel within the lease.
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
    await strikeEach(
      chosen.filter((one) => operation.shouldInject([one])),
      async (one) => {
        const { pid } = one
        await waitUntilStrike(one, options, context)
        const sentAt = clock.now()
        const patience = new AbortController()
        const exited = exitOf(one, { clock: context.clock, signal: patience.signal })
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
      },
    )
  },
})
