import { systemClock } from '@chaos/core/authoring'
import type { FleetController } from '../../controller/fleet-controller.js'
import type { RunEnd, RunState } from '../../controller/run-state.js'
import { isForRequests, mintCommand } from '../../plan/run-scope.js'
import type { Arguments } from '../arguments/arguments.js'
import type { Asked } from '../arguments/run-options.js'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../process/terminal.js'
import { runProgress } from '../views/progress.js'
import { runJson, runLines } from '../views/run-table.js'

/** Ends that were planned. */
const PLANNED: readonly (RunEnd | undefined)[] = ['max-duration', 'limit-spent', 'completed']

/** Runs one fault until it ends by itself, or is interrupted. @returns The exit code. */
export async function runFault(
  { target, fault, options, how }: Extract<Asked, { readonly kind: 'fault' }>,
  controller: FleetController,
  args: Arguments,
  io: Terminal,
): Promise<number> {
  const isJson = args.isOn('json')
  const { signal } = io
  const isInterrupted = (): boolean => signal.aborted
  let sayEnded: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (sayEnded = resolve))
  const unfollow = controller.follow((entry) => {
    if (entry.type === 'ended') sayEnded()
  })
  const quiet = isJson ? () => undefined : controller.follow(runProgress(systemClock.now(), io.out))
  // Ends the run in whatever phase it is, and resolves when every instance is whole.
  const end = (): void => void controller.close().then(sayEnded)
  signal.addEventListener('abort', end, { once: true })
  try {
    if (isInterrupted()) await controller.close()
    const { id, account } = await controller.inject(target, fault, options, how)
    if (!isJson) {
      io.out(`${id}: in force in ${account['applied'] ?? 0} of ${account['instances'] ?? 0} instances`)
      const plan = controller.runs().at(-1)?.plan
      if (plan !== undefined && isForRequests(plan))
        io.out(`only for requests that name the run: CHAOS_SCOPE_KEY=… ${mintCommand(plan)}`)
    }
    await ended
  } catch (error) {
    // What was interrupted before it began is no failure.
    if (!isInterrupted()) throw error
    await controller.close()
  } finally {
    signal.removeEventListener('abort', end)
    unfollow()
    quiet()
  }
  const state = controller.runs().at(-1)
  const { verdict, code } = verdictOf(state, isInterrupted())
  if (isJson) io.json({ verdict, run: state === undefined ? null : runJson(state) })
  else {
    for (const line of state === undefined ? [] : ['', ...runLines(state), '']) io.out(line)
    io.out(verdict)
  }
  return code
}

/** What a run comes to. A halt by others counts also when the user has interrupted it since. */
function verdictOf(
  state: RunState | undefined,
  isInterrupted: boolean,
): { readonly verdict: string; readonly code: number } {
  if (state !== undefined && PLANNED.includes(state.end)) return { verdict: 'completed', code: EXIT.ok }
  if (isInterrupted) return { verdict: 'interrupted', code: EXIT.interrupted }
  return { verdict: 'cut-short', code: EXIT.inconclusive }
}
