import { Worker } from 'node:worker_threads'
import { workerFile } from '../config.js'
import type { AlertState } from './alert-states.js'
import type { EvaluatorMessage, EvaluatorSettings } from './evaluator-worker.js'

/** The running evaluator. */
export interface Evaluator {
  /** Where it answers: the Prometheus API and `/alerts`. */
  readonly url: string
  close(): Promise<void>
}

/** Starts the evaluator in a thread of its own: in the app's own loop it would go blind with the app. */
export async function startEvaluator(settings: EvaluatorSettings, onChange: (alert: AlertState) => void): Promise<Evaluator> {
  const worker = new Worker(workerFile('evaluator-worker'), { workerData: settings, name: 'alert-evaluator' })
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', (message: EvaluatorMessage) => {
      if (message.type === 'listening') resolve(message.port)
      else onChange(message.alert)
    })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      worker.postMessage('close')
      const patience = setTimeout(() => void worker.terminate(), 2_000)
      await exited
      clearTimeout(patience)
    },
  }
}
