import { setTimeout as wait } from 'node:timers/promises'
import { startEvaluator, type AlertState, type EvaluatorSettings } from '@chaos/mini-prometheus'
import { watchdog } from './watchdog.js'

/** The running evaluator. */
export interface Evaluator {
  /** The current address of its server, which has the Prometheus API and `/alerts`. */
  readonly url: string
  close(): Promise<void>
}

/** The pause before a dead evaluator is replaced, in ms. */
const RESTART_MS = 1_000
/** The number of missed evaluations that count as silence. */
const SILENT_TURNS = 4

/** Options of {@link superviseEvaluator}. */
export interface EvaluatorOptions {
  readonly newThread?: typeof startEvaluator
  /**
   * How long the evaluator may go without an evaluation before it is replaced, in ms. Default: four times the longest
   * turn (scrape and interval), at least 5,000.
   */
  readonly silenceMs?: number
}

interface RunningThread extends Evaluator {
  /** Resolves when the thread has exited, with the reason. */
  readonly ended: Promise<string>
}

/**
 * Starts the alert evaluator in a separate thread, so that it keeps working while the app's event loop is blocked. A
 * thread that dies, or answers but no longer evaluates, is logged and replaced. Its active alerts then start over.
 *
 * @throws Error when the first thread dies before it listens, for example because it does not support a rule
 */
export async function superviseEvaluator(
  settings: EvaluatorSettings,
  onChange: (alert: AlertState) => void,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  // A turn scrapes the metrics page, which takes at most a second or the interval, and then waits for its interval.
  const {
    newThread = startEvaluator,
    silenceMs = Math.max(5_000, SILENT_TURNS * (settings.intervalMs + Math.max(1_000, settings.intervalMs))),
  } = options

  async function start(): Promise<RunningThread> {
    const thread = newThread(settings, { onChange, onEvaluated: () => watch.heard() })
    const watch = watchdog(silenceMs, () => thread.terminate(new Error(`It did not evaluate for ${silenceMs} ms.`)))
    void thread.ended.then(() => watch.stop())
    const url = await thread.listening
    // Silence is measured from here, because the start of a thread may take long.
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
