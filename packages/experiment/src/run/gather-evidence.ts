import { setMaxListeners } from 'node:events'
import { ChaosError, type ChaosController, type Clock } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import type { AlertReader } from '../alerts/reader.js'
import type { WebhookSink } from '../alerts/webhook-sink.js'
import { inventoryOf, type Evidence } from '../evidence/evidence.js'
import type { Experiment } from '../model/experiment.js'
import { withVariables, type Variables } from '../model/variables.js'
import { reasonOf } from '../shared/answer.js'
import { aborted } from '../shared/time.js'
import { alertFacts, type AlertFacts } from './alert-facts.js'
import type { RunEvent } from './events.js'
import { phases } from './phases/phases.js'
import { preflight } from './preflight/preflight.js'
import { probedMonitors } from './recorder/recorder.js'

/** Options of `runExperiment` and `checkExperiment`. */
export interface RunOptions {
  /** The controller of the process to break: an in-process controller, or a client of a control endpoint. */
  readonly controller: ChaosController
  /** Readers of alerts. Default: none; an experiment with `alerts` is then refused. */
  readonly alerts?: AlertReader | readonly AlertReader[]
  /** A receiver of notifications. If set, the notification of each alert in `mustFire` must arrive. Default: none. */
  readonly sink?: Pick<WebhookSink, 'notifications'>
  /** Values of `${NAME}` in the experiment's texts. Default: none. */
  readonly variables?: Variables
  readonly clock?: Clock
  /** Receives progress events. The run is aborted if the listener throws. */
  readonly onEvent?: (event: RunEvent) => void
  /** Aborts the run. All faults are then rolled back, and the verdict is `inconclusive`. */
  readonly signal?: AbortSignal
  /** The pause between two readings of a probe, an alert source, the load or the controller, in ms. Default 250. */
  readonly pollMs?: number
}

const DEFAULT_POLL_MS = 250
const MAX_POLL_MS = 86_400_000

/**
 * Runs an experiment whose variables are substituted, and returns the evidence without conclusions.
 *
 * Probes, alerts, the load, the monitoring system and the controller are read independently, so that one that hangs
 * does not stop the others. Recovery is observed before any rollback: a fault ends by its lease, as an outage ends by
 * itself. When this function returns, every fault of the run has been stopped, or is listed in `rollbackFailures`.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` when the experiment cannot pass. Nothing has been broken then. Also
 *   rejects with the controller's error when the controller cannot be reached at the start.
 */
export async function gatherEvidence(experiment: Experiment, options: RunOptions): Promise<Evidence> {
  const { controller, clock = systemClock, pollMs = DEFAULT_POLL_MS, sink, signal } = options
  const readers = readersOf(options)
  const startedAt = clock.now()

  // Everything that ends a run early aborts this controller.
  const over = new AbortController()
  // Each wait adds one listener, so the default limit does not fit.
  setMaxListeners(0, over.signal)
  let brokenOff: string | undefined
  const breakOff = (reason: string): void => {
    brokenOff ??= reason
    over.abort()
  }
  const emit = (event: RunEvent): void => {
    try {
      options.onEvent?.(event)
    } catch (error) {
      breakOff(`a listener failed: ${reasonOf(error)}`)
    }
  }

  emit({ type: 'phase', at: clock.now(), phase: 'preflight', detail: 'checking rules, targets and faults' })
  const onAbort = (): void => breakOff(`the caller stopped it${because(signal)}`)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  const probed = probedMonitors(experiment, readers)
  // An abort need not wait for these facts: nothing is in force yet.
  const facts = await Promise.race([
    lookAhead(experiment, options),
    aborted(over.signal).then(() => alertFacts([], clock)),
  ])
  const seen = await phases(experiment, {
    controller,
    readers,
    probed,
    facts,
    sink,
    clock,
    pollMs,
    emit,
    over,
    breakOff,
    startedAt,
  })
  signal?.removeEventListener('abort', onAbort)

  const whole: Omit<Evidence, 'inventory'> = {
    startedAt,
    endedAt: clock.now(),
    pollMs,
    rulesFound: facts.rules?.map(({ name }) => name),
    brokenRules: (facts.rules ?? []).filter(({ isHealthy }) => !isHealthy).map(({ name }) => name),
    ...seen,
    brokenOff,
  }
  return { ...whole, inventory: inventoryOf(whole) }
}

/**
 * Performs the checks of `runExperiment` without running the experiment. Nothing is broken.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` when the experiment cannot pass, `CHAOS_INVALID_EXPERIMENT` when a
 *   variable has no value. Also rejects with the controller's error when the controller cannot be reached.
 */
export async function checkExperiment(given: Experiment, options: RunOptions): Promise<void> {
  await lookAhead(withVariables(given, options.variables ?? {}), options)
}

/** Collects the facts about alerts, and refuses an experiment that cannot pass. */
async function lookAhead(experiment: Experiment, options: RunOptions): Promise<AlertFacts> {
  const { controller, clock = systemClock, pollMs = DEFAULT_POLL_MS, sink } = options
  if (!(pollMs >= 1 && pollMs <= MAX_POLL_MS))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`pollMs\` to be a number of ms from 1 to ${MAX_POLL_MS}, got \`${pollMs}\`.`,
    )
  const readers = readersOf(options)
  const facts = await alertFacts(readers, clock, probedMonitors(experiment, readers))
  await preflight(experiment, {
    controller,
    rules: facts.rules,
    timing: facts.timing,
    needsNotification: sink !== undefined,
    hasAlerts: readers.length > 0,
    rulesProblems: facts.rulesProblems,
    pollMs,
  })
  return facts
}

function readersOf({ alerts = [] }: RunOptions): readonly AlertReader[] {
  return [alerts].flat()
}

/** The reason of an abort as a clause; empty without a reason. */
function because(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason
  if (reason instanceof Error) return reason.name === 'AbortError' ? '' : `: ${reason.message}`
  return typeof reason === 'string' ? `: ${reason}` : ''
}
