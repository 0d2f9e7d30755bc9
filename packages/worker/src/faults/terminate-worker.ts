import { ChaosError, defineFault, option, optionsSchema, type InjectionContext, type OptionsOf, type OptionsOutput } from '@chaos/core'
import { isWorkerTarget, liveWorkers, type WorkerLike, type WorkerTarget } from '../targets/workers.js'

const schema = optionsSchema({
  select: option.optional(option.oneOf(['one', 'all', 'nth', 'share'], 'Which of the live workers: the longest-running one, all, the nth, or a share of them.'), 'one'),
  nth: option.optional(option.count('With `select: nth`: its place among the live workers, longest-running first, from 1.', 1)),
  share: option.optional(option.rate('With `select: share`: the share of the live workers, 0 to 1, rounded up.')),
})

/**
 * Options of {@link terminateWorker}: `select`, `one` (default, the longest-running), `all`, `nth` or `share`; `nth`, from 1;
 * `share`, 0 to 1, rounded up.
 */
export type TerminateWorkerOptions = OptionsOf<typeof terminateWorker>

/**
 * Terminates live workers of a target, as `worker.terminate()` does: at once, even in an endless loop, exit code 1, no `error` event.
 *
 * Models a thread that dies: killed by its host, out of luck, gone between two messages. It is done when every chosen worker has
 * emitted `exit`; that exit code is the evidence. Bringing a worker back is the application's business. An operation is a candidate,
 * named `terminate`, so `rate` and `limit` choose among them.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `nth` or `share` do not fit `select`, `CHAOS_NO_LIVE_WORKER` when there is none to terminate
 */
export const terminateWorker = defineFault({
  name: 'worker/terminate-worker',
  kind: 'instant',
  summary: 'Terminates live workers of a target.',
  schema,
  expects: 'a Worker, several, or a function that returns the current ones',
  accepts: isWorkerTarget,
  check: assertFits,
  async inject(target: WorkerTarget, options, context) {
    const chosen = candidates(liveWorkers(target), options)
    const operation = context.operation('terminate')
    const condemned = chosen.filter((worker) => operation.shouldInject([worker]))
    await Promise.all(condemned.map((worker) => terminate(worker, context)))
  },
})

function assertFits({ select, nth, share }: OptionsOutput<typeof schema>): void {
  for (const [name, value] of Object.entries({ nth, share })) {
    if (select === name && value === undefined) throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`${name}\` beside \`select: ${name}\` of worker/terminate-worker, got none.`)
    if (select !== name && value !== undefined) throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`${name}\` of worker/terminate-worker with \`select: ${name}\` only, got it with \`select: ${select}\`.`)
  }
}

function candidates(live: readonly WorkerLike[], { select, nth = 1, share = 1 }: OptionsOutput<typeof schema>): readonly WorkerLike[] {
  if (live.length === 0) throw new ChaosError('CHAOS_NO_LIVE_WORKER', 'Expected the target to have a live worker to terminate, got none. Wait until one has started.')
  if (select === 'all') return live
  if (select === 'share') return live.slice(0, Math.ceil(live.length * share))
  const index = select === 'nth' ? nth - 1 : 0
  if (index >= live.length) throw new ChaosError('CHAOS_NO_LIVE_WORKER', `Expected the target to have at least ${nth} live workers, got ${live.length}.`)
  return live.slice(index, index + 1)
}

async function terminate(worker: WorkerLike, { clock, signal, landed }: InjectionContext): Promise<void> {
  const { threadId } = worker
  const startedAt = clock.now()
  const exited = new Promise<number>((resolve, reject) => {
    const onExit = (exitCode: number): void => {
      signal.removeEventListener('abort', onAbort)
      resolve(exitCode)
    }
    const onAbort = (): void => {
      worker.off('exit', onExit)
      reject(signal.reason as Error)
    }
    worker.once('exit', onExit)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  void worker.terminate()
  landed({ threadId, exitCode: await exited, tookMs: clock.now() - startedAt })
}
