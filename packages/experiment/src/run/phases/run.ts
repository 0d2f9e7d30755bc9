import type { Clock } from '@chaos/core'
import type { WebhookSink } from '../../alerts/webhook-sink.js'
import type { Experiment } from '../../model/experiment.js'
import type { Phase } from '../events.js'
import type { Marks } from '../../evidence/evidence.js'
import type { Recorder } from '../recorder/recorder.js'
import type { Waiting } from '../waiting.js'

/** The context that the phases of a run share. */
export interface Run {
  readonly experiment: Experiment
  readonly recorder: Recorder
  readonly clock: Clock
  readonly pollMs: number
  readonly startedAt: number
  readonly sink: Pick<WebhookSink, 'notifications'> | undefined
  /** Aborts when the run is over. */
  readonly over: AbortSignal
  readonly until: Waiting['until']
  readonly changed: () => void
  /** Aborts the run for a reason that is not evidence about the system under test. */
  readonly breakOff: (reason: string) => void
  readonly say: (phase: Phase, detail: string) => void
  /** The marks so far. */
  readonly marks: () => Marks
}
