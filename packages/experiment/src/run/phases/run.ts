import type { Clock } from '@chaos/core'
import type { WebhookSink } from '../../alerts/webhook-sink.js'
import type { Experiment } from '../../model/experiment.js'
import type { Phase } from '../events.js'
import type { Marks } from '../../evidence/evidence.js'
import type { Recorder } from '../recorder/recorder.js'
import type { Waiting } from '../waiting.js'

/** What every phase of a run works with. */
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
  /** Ends the run early, because of something that is no evidence about the system. */
  readonly breakOff: (reason: string) => void
  readonly say: (phase: Phase, detail: string) => void
  /** The marks so far. */
  readonly marks: () => Marks
}
