import { Worker } from 'node:worker_threads'
import type { AlertState } from './alert-states.js'
import type { EvaluatorMessage, EvaluatorSettings } from './evaluator.js'

/** Listeners for the events of an evaluator thread. */
export interface EvaluatorListeners {
  /** Called when an alert begins to fire or resolves. */
  readonly onChange: (alert: AlertState) => void
  /** Called after each evaluation of the rules, once per interval. This is the heartbeat of the thread. */
  readonly onEvaluated?: () => void
}

/** An evaluator in a separate thread. */
export interface EvaluatorThread {
  /** The address of its HTTP server, once it listens. Rejects with the error that ended the thread before that. */
  readonly listening: Promise<string>
  /** Resolves when the thread has exited, with the reason. */
  readonly ended: Promise<string>
  /** Terminates the thread at once. @param cause Becomes the reason in {@link ended}. */
  terminate(cause?: Error): void
  /** Shuts the thread down gracefully. Terminates it if that takes longer than 2 s. */
  close(): Promise<void>
}

/** The name of the thread, which `new Worker` gets as an option. */
const THREAD_NAME = 'alert-evaluator'
/** How long {@link EvaluatorThread.close} waits before it terminates the thread, in ms. */
const CLOSE_TIMEOUT_MS = 2_000

/**
 * Starts an evaluator in a separate thread, where it keeps working while the main thread is blocked.
 *
 * @param worker The thread. Default: a new one, named `alert-evaluator`.
 */
export function startEvaluator(
  settings: EvaluatorSettings,
  { onChange, onEvaluated }: EvaluatorListeners,
  worker = newThread(settings),
): EvaluatorThread {
  let failure: Error | undefined
  worker.on('error', (error: Error) => void (failure ??= error))
  const ended = new Promise<string>((resolve) =>
    worker.once('exit', (code) => resolve(failure?.message ?? `It exited with code ${code}.`)),
  )
  const listening = new Promise<string>((resolve, reject) => {
    worker.on('message', (message: EvaluatorMessage) => {
      if (message.type === 'listening') resolve(`http://127.0.0.1:${message.port}`)
      else if (message.type === 'evaluated') onEvaluated?.()
      else onChange(message.alert)
    })
    void ended.then((cause) =>
      reject(failure ?? new Error(`The alert evaluator thread ended before it listened: ${cause}`)),
    )
  })
  return {
    listening,
    ended,
    terminate(cause) {
      failure ??= cause
      void worker.terminate()
    },
    async close() {
      worker.postMessage('close')
      const timer = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

function newThread(settings: EvaluatorSettings): Worker {
  // The same file from `src` and from `dist`.
  const file = new URL('../dist/evaluator-worker.js', import.meta.url)
  return new Worker(file, { workerData: settings, name: THREAD_NAME })
}
