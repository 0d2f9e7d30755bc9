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
      'How the start fails. MODULE_NOT_FOUND is emitted as `error`; the others are thrown by `new Worker`.',
    ),
    'ERR_WORKER_INIT_FAILED',
  ),
}

/** Options of {@link refuseStart}. */
export type RefuseStartOptions = OptionsOf<typeof refuseStart>

/**
 * Makes new workers fail to start.
 *
 * Models a system that has no more threads (`ERR_WORKER_INIT_FAILED`), or a deploy that broke the worker's file, flags or
 * data. `ERR_WORKER_INIT_FAILED` is built as in the source of Node.js. The other errors are real: the constructor gets
 * arguments with which it fails. With `MODULE_NOT_FOUND` the worker is created and then emits `error`, and `exit` with code 1.
 * An operation is one `new Worker`, named `start`.
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
        return construct(failingArguments(failure, args))
      } catch (error) {
        throw markInjected(error as Error, 'worker/refuse-start')
      }
    })
  },
})

/** Arguments with which the real constructor fails in the given way. */
function failingArguments(failure: (typeof FAILURES)[number], [file, given]: readonly unknown[]): readonly unknown[] {
  const options = typeof given === 'object' && given !== null ? given : {}
  switch (failure) {
    case 'ERR_WORKER_INIT_FAILED':
      // No arguments provoke this error, so it is built here.
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
