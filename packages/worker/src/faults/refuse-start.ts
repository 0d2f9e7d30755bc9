import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../threads/starts.js'

const FAILURES = [
  'ERR_WORKER_INIT_FAILED',
  'ERR_WORKER_PATH',
  'ERR_WORKER_INVALID_EXEC_ARGV',
  'DataCloneError',
  'MODULE_NOT_FOUND',
] as const

const options = {
  failure: option.optional(
    option.oneOf(
      FAILURES,
      'How starting fails. All but MODULE_NOT_FOUND throw where the worker is made; that one is heard as `error`.',
    ),
    'ERR_WORKER_INIT_FAILED',
  ),
}

/** Options of {@link refuseStart}. */
export type RefuseStartOptions = OptionsOf<typeof refuseStart>

/**
 * Makes new workers fail to start.
 *
 * Models a system without threads to give (`ERR_WORKER_INIT_FAILED`, made from the source of Node.js), or a deploy that broke the worker's
 * file, flags or data (those are provoked: the real constructor is asked for the impossible). With `MODULE_NOT_FOUND` the worker is made,
 * then its holder hears `error` and `exit` with code 1. An operation is a `new Worker`, named `start`.
 */
export const refuseStart = defineFault({
  name: 'worker/refuse-start',
  kind: 'standing',
  summary: 'Makes new workers fail to start.',
  options,
  target: { expects: WORKER_THREADS, accepts: isWorkerThreads },
  inject(workerThreads: WorkerThreads, { failure }, context) {
    const operation = context.operation('start')
    interceptStarts(workerThreads, context, (args, construct) => {
      if (!operation.shouldInject(args)) return construct(args)
      try {
        return construct(impossible(failure, args))
      } catch (error) {
        throw markInjected(error as Error, 'worker/refuse-start')
      }
    })
  },
})

/** Arguments with which the real constructor fails in this way. */
function impossible(failure: (typeof FAILURES)[number], [file, given]: readonly unknown[]): readonly unknown[] {
  const options = typeof given === 'object' && given !== null ? given : {}
  switch (failure) {
    case 'ERR_WORKER_INIT_FAILED':
      // No thread can be had: nothing that the constructor is asked for brings that about.
      throw Object.assign(new Error('Worker initialization failure: EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })
    case 'ERR_WORKER_PATH':
      return ['not-a-path.js', { ...options, eval: false }]
    case 'ERR_WORKER_INVALID_EXEC_ARGV':
      return [file, { ...options, execArgv: ['--no-such-flag'] }]
    case 'DataCloneError':
      return [file, { ...options, workerData: () => undefined }]
    case 'MODULE_NOT_FOUND':
      return ['/no/such/worker.cjs', { ...options, eval: false }]
  }
}
