import type { Sample } from '../probes/read.js'
import type { AlertStretch, MarkName } from '../evidence/evidence.js'

/** The phase of a run. */
export type Phase = 'preflight' | 'steady-state' | 'method' | 'recovery' | 'afterwards' | 'done'

/** A progress event of a run. `at` is in ms since the epoch. */
export type RunEvent =
  | { readonly type: 'phase'; readonly at: number; readonly phase: Phase; readonly detail: string }
  | {
      readonly type: 'mark'
      readonly mark: MarkName
      readonly at: number
      readonly errorMs: number
      readonly detail: string
    }
  | { readonly type: 'alert'; readonly at: number; readonly alert: AlertStretch }
  | { readonly type: 'probe'; readonly at: number; readonly probe: string; readonly sample: Sample }
