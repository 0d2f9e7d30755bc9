import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { workerFile } from '../config.js'
import { watchdog } from '../watchdog.js'
import type { AlertState } from './alert-states.js'
import type { EvaluatorMessage, EvaluatorSettings } from './evaluator-worker.js'

/** The running evaluator. */
export interface Evaluator {
  /** Where it answers now: the Prometheus API and `/alerts`. */
  readonly url: string
  close(): Promise<void>
}

/** How long an evaluator that died stays dead, in ms. */
const RESTART_MS = 1_000
/** So many turns without an evaluation are a silence. */
const SILENT_TURNS = 4

/** Options of {@link startEvaluator}. */
export interface EvaluatorOptions {
  readonly newThread?: (settings: EvaluatorSettings) => Worker
  /** An evaluator that has not evaluated for so long, in ms, is replaced. Default: four times what one turn may take, at least 5,000. */
  readonly silenceMs?: number
}

/**
 * Starts the evaluator in a thread of its own: in the app's own loop it would go blind with the app. A thread that dies is logged and replaced, and so
 * is one that lives on, and may even answer, but no longer evaluates; alerts that were active then begin anew.
 *
 * @throws What a first thread died of before it could answer, such as a rule that it does not know.
 */
export async function startEvaluator(
  settings: EvaluatorSettings,
  onChange: (alert: AlertState) => void,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  // A turn waits for the page of metrics, at most a second or the interval, and then for its rhythm.
  const {
    newThread = evaluatorThread,
    silenceMs = Math.max(5_000, SILENT_TURNS * (settings.intervalMs + Math.max(1_000, settings.intervalMs))),
  } = options
  const start = (): Promise<EvaluatorThread> => started(newThread(settings), onChange, silenceMs)
  const closing = new AbortController()
  const isClosing = (): boolean => closing.signal.aborted
  let thread = await start()

  async function keepRunning(): Promise<void> {
    for (;;) {
      const cause = await thread.ended
      if (isClosing()) return
      console.error(
        JSON.stringify({ event: 'alert evaluator died', cause, restartInMs: RESTART_MS, at: new Date().toISOString() }),
      )
      await wait(RESTART_MS, undefined, { signal: closing.signal }).catch(() => undefined)
      if (isClosing()) return
      thread = await start().catch((error: unknown) => ({ ...thread, ended: Promise.resolve(String(error)) }))
      if (isClosing()) await thread.close()
    }
  }
  const running = keepRunning()

  return {
    get url() {
      return thread.url
    },
    async close() {
      closing.abort()
      await thread.close()
      await running
    },
  }
}

interface EvaluatorThread {
  readonly url: string
  /** When it has exited: of what. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** Makes the thread that {@link startEvaluator} talks to. */
export function evaluatorThread(settings: EvaluatorSettings): Worker {
  return new Worker(workerFile('evaluator-worker'), { workerData: settings, name: 'alert-evaluator' })
}

/** A thread that answers. @throws what it died of instead */
async function started(
  worker: Worker,
  onChange: (alert: AlertState) => void,
  silenceMs: number,
): Promise<EvaluatorThread> {
  let failure: Error | undefined
  const fail = (error: Error): void => void (failure ??= error)
  worker.on('error', fail)
  const watch = watchdog(silenceMs, () => {
    fail(new Error(`It had not evaluated for ${silenceMs} ms.`))
    void worker.terminate()
  })
  worker.once('exit', () => watch.stop())
  const ended = new Promise<string>((resolve) =>
    worker.once('exit', (code) => resolve(failure?.message ?? `It exited with code ${code}.`)),
  )
  const port = await new Promise<number>((resolve, reject) => {
    worker.on('message', (message: EvaluatorMessage) => {
      if (message.type === 'listening') resolve(message.port)
      else if (message.type === 'evaluated') watch.heard()
      else onChange(message.alert)
    })
    void ended.then((cause) => reject(failure ?? new Error(`The alert evaluator ended before it answered: ${cause}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    ended,
    async close() {
      watch.stop()
      worker.postMessage('close')
      const patience = setTimeout(() => void worker.terminate(), 2_000)
      await ended
      clearTimeout(patience)
    },
  }
}
