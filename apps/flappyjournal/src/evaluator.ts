import { setTimeout as wait } from 'node:timers/promises'
import { startEvaluator, type AlertState, type EvaluatorSettings } from '@chaos/mini-prometheus'
import { watchdog } from './watchdog.js'

/** The running evaluator. */
export interface Evaluator {
  /** Its current address: the Prometheus API and `/alerts`. */
  readonly url: string
  close(): Promise<void>
}

/** The pause before a dead evaluator is replaced, in ms. */
const RESTART_MS = 1_000
/** How many turns without an evaluation are a silence. */
const SILENT_TURNS = 4

/** Options of {@link superviseEvaluator}. */
export interface EvaluatorOptions {
  readonly newThread?: typeof startEvaluator
  /** An evaluator that has not evaluated for so long, in ms, is replaced. Default: four times the longest turn, at least 5,000. */
  readonly silenceMs?: number
}

interface RunningThread extends Evaluator {
  /** Resolves when the thread has exited, with the reason. */
  readonly ended: Promise<string>
}

/**
 * Starts the alert evaluator in a thread of its own: in the app's event loop it would go blind with the app. A thread that dies, or that answers and no
 * longer evaluates, is logged and replaced; alerts that were active then begin anew.
 *
 * @throws The error of a first thread that died before it could answer, for instance a rule that it does not know.
 */
export async function superviseEvaluator(
  settings: EvaluatorSettings,
  onChange: (alert: AlertState) => void,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  // A turn waits for the page of metrics, at most a second or the interval, and then for its interval.
  const {
    newThread = startEvaluator,
    silenceMs = Math.max(5_000, SILENT_TURNS * (settings.intervalMs + Math.max(1_000, settings.intervalMs))),
  } = options

  async function start(): Promise<RunningThread> {
    const thread = newThread(settings, { onChange, onEvaluated: () => watch.heard() })
    const watch = watchdog(silenceMs, () => thread.terminate(new Error(`It had not evaluated for ${silenceMs} ms.`)))
    void thread.ended.then(() => watch.stop())
    const url = await thread.listening
    // The silence counts from here: how long a thread takes to start says nothing about its turns.
    watch.heard()
    return {
      url,
      ended: thread.ended,
      close() {
        watch.stop()
        return thread.close()
      },
    }
  }

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
