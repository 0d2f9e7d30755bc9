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

/** Options of a run. */
export interface RunOptions {
  /** What is broken: an in-process controller, or the client of a control endpoint. */
  readonly controller: ChaosController
  /** Where alerts are read. */
  readonly alerts?: AlertReader | readonly AlertReader[]
  /** Where notifications arrive. Given one, each alert that must fire must also arrive there. */
  readonly sink?: Pick<WebhookSink, 'notifications'>
  /** What `${NAME}` in the experiment's texts stands for. */
  readonly variables?: Variables
  readonly clock?: Clock
  /** Told what happens, as it happens. If it throws, the run is broken off. */
  readonly onEvent?: (event: RunEvent) => void
  /** Breaks the run off: everything is taken back. */
  readonly signal?: AbortSignal
  /** Pause between two readings of a probe, an alert source, the load or the controller, in ms. Default 250. */
  readonly pollMs?: number
}

const DEFAULT_POLL_MS = 250
const MAX_POLL_MS = 86_400_000

/**
 * Runs an experiment whose variables have their values, and returns everything that was seen. It concludes nothing from it.
 *
 * Probes, alerts, the load, the monitoring and the controller are each read on their own, so that one that hangs makes no other blind. Recovery is
 * observed before anything is taken back: a fault ends by its lease, as an outage does. Whatever happens, no fault of the run is in force when this
 * returns.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` for an experiment that cannot pass; nothing has been broken then. Rejects as well when the controller
 *   cannot be reached at the start.
 */
export async function gatherEvidence(experiment: Experiment, options: RunOptions): Promise<Evidence> {
  const { controller, clock = systemClock, pollMs = DEFAULT_POLL_MS, sink, signal } = options
  const readers = readersOf(options)
  const startedAt = clock.now()

  // Everything that ends a run early goes through here.
  const over = new AbortController()
  // One for each thing that is waited for.
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

  emit({ type: 'phase', at: clock.now(), phase: 'preflight', detail: 'looking at rules, targets and faults' })
  const onAbort = (): void => breakOff(`it was aborted${because(signal)}`)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  const probed = probedMonitors(experiment, readers)
  // Who breaks off does not wait for what can be known: nothing is in force yet.
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
 * Checks an experiment as `runExperiment` does before it breaks anything, and breaks nothing.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` or `CHAOS_INVALID_EXPERIMENT`, as `runExperiment` does.
 */
export async function checkExperiment(given: Experiment, options: RunOptions): Promise<void> {
  await lookAhead(withVariables(given, options.variables ?? {}), options)
}

/** Finds out what the readers of alerts know, and refuses an experiment that cannot pass. */
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

/** Why a run was aborted, as far as that was said. */
function because(signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason
  if (reason instanceof Error) return reason.name === 'AbortError' ? '' : `: ${reason.message}`
  return typeof reason === 'string' ? `: ${reason}` : ''
}
