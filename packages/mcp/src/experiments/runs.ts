import { ChaosError, type ChaosController } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { Experiment, ExperimentResult, RunEvent, RunOptions } from '@chaos/experiment'
import { plain } from '../shared/bounded.js'
import { verdictData, type VerdictData } from './verdict-data.js'

/** The most runs that are remembered, and the most lines of progress of one. */
const MAX_RUNS = 20
const MAX_LINES = 40

/** A run of an experiment, running or over. */
export interface Run {
  readonly id: string
  readonly title: string
  readonly pid: number
  readonly startedAt: number
  readonly status: 'running' | 'done' | 'failed'
  readonly phase: string
  readonly progress: readonly string[]
  readonly verdict?: VerdictData
  /** Why there is no verdict. */
  readonly problem?: string
  /** Where the reports were written, or why not. */
  readonly reports?: string
  /** Resolves when it is over. Never rejects. */
  readonly over: Promise<void>
}

/** What a run needs. */
export interface RunRequest {
  readonly experiment: Experiment
  readonly pid: number
  readonly controller: ChaosController
  readonly options: Omit<RunOptions, 'controller' | 'signal' | 'onEvent'>
  /** Writes reports. @returns Where they are. */
  readonly report?: (result: ExperimentResult) => Promise<string>
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The runs of this server. One runs at a time, so that each can be judged. */
export class Runs {
  readonly #runs = new Map<string, { readonly run: Mutable<Run>; readonly abort: AbortController }>()
  #count = 0

  /** @throws ChaosError `CHAOS_INVALID_OPTION` when another run is going on */
  start({ experiment, pid, controller, options, report }: RunRequest): Run {
    const going = [...this.#runs.values()].find(({ run }) => run.status === 'running')
    if (going !== undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Run ${going.run.id} is going on. Wait for it with experiment_status, or stop it with stop_experiment.`,
      )
    this.#count += 1
    const abort = new AbortController()
    const run: Mutable<Run> = {
      id: `run-${this.#count}`,
      title: plain(experiment.title),
      pid,
      startedAt: Date.now(),
      status: 'running',
      phase: 'preflight',
      progress: [],
      over: Promise.resolve(),
    }
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'phase') run.phase = event.phase
      const line = progressLine(event, run.startedAt)
      if (line !== undefined) run.progress = [...run.progress, line].slice(-MAX_LINES)
    }
    run.over = (async () => {
      try {
        const { runExperiment } = await import('@chaos/experiment')
        const result = await runExperiment(experiment, { ...options, controller, signal: abort.signal, onEvent })
        run.verdict = verdictData(result)
        if (report !== undefined)
          run.reports = await report(result).catch((error: unknown) => `not written: ${messageOf(error, { max: 500 })}`)
        run.status = 'done'
      } catch (error) {
        run.problem = messageOf(error, { max: 2_000, lines: true })
        run.status = 'failed'
      }
    })()
    this.#runs.set(run.id, { run, abort })
    for (const id of [...this.#runs.keys()].slice(0, -MAX_RUNS)) this.#runs.delete(id)
    return run
  }

  /** @throws ChaosError `CHAOS_INVALID_OPTION` when there is no such run */
  get(id: string): Run {
    return this.#entry(id).run
  }

  /** Aborts a run, which stops its faults, and waits until it is over. Does nothing to one that is over. */
  async stop(id: string, why: string): Promise<Run> {
    const { run, abort } = this.#entry(id)
    abort.abort(why)
    await run.over
    return run
  }

  /** Aborts the runs on a process, or all. Does not wait. @returns Their ids. */
  abortAll(why: string, pid?: number): readonly string[] {
    const going = [...this.#runs.values()].filter(
      ({ run }) => run.status === 'running' && (pid === undefined || run.pid === pid),
    )
    for (const { abort } of going) abort.abort(why)
    return going.map(({ run }) => run.id)
  }

  /** Resolves when no run is going on. */
  async over(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ run }) => run.over))
  }

  #entry(id: string) {
    const found = this.#runs.get(id)
    if (found !== undefined) return found
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Unknown run ${plain(id)}. Runs of this server: ${[...this.#runs.keys()].join(', ') || 'none'}.`,
    )
  }
}

function progressLine(event: RunEvent, startedAt: number): string | undefined {
  const detail = describe(event)
  return detail === undefined ? undefined : plain(`+${((event.at - startedAt) / 1_000).toFixed(1)} s ${detail}`, 300)
}

function describe(event: RunEvent): string | undefined {
  if (event.type === 'phase') return event.phase === 'done' ? undefined : `${event.phase}: ${event.detail}`
  if (event.type === 'mark') return `${event.mark} ${event.detail}`
  if (event.type === 'alert')
    return event.alert.to === undefined ? `alert ${event.alert.name} ${event.alert.state}` : undefined
  return undefined
}
