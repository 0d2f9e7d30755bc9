import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { runRefused } from '../plan/refusals.js'
import type { OpenResult } from '../transports/transport.js'
import type { RunEnd } from './run-state.js'

/** Why the engine did not open a run, in words. */
export function refusalOf(result: Extract<OpenResult, { readonly isOpen: false }>): string {
  switch (result.why) {
    case 'not-permitted':
      return 'Runs are not permitted now. An operator opens a window with `chaos fleet open --for 1h --reason "…"`.'
    case 'halted':
      return 'Somebody has called a halt. An operator lifts it with `chaos fleet open --for 1h --reason "…"`.'
    case 'busy': {
      const shown = result.busy.slice(0, 5).map((name) => printable(name))
      const more = result.busy.length > shown.length ? ` and ${result.busy.length - shown.length} more` : ''
      return `Another run concerns ${shown.join(', ')}${more}. Wait until it has ended, or stop it.`
    }
  }
}

/** The error for a run that ended before the fault was in force, though nobody refused it. */
export function notBegun(end: RunEnd | undefined, why: string | undefined): ChaosError {
  if (end === 'stopped') return runRefused('The run was stopped before the fault was in force.')
  if (end === 'halted') return runRefused('Somebody called a halt before the fault was in force.')
  if (end === 'not-permitted')
    return runRefused('The window in which runs are permitted closed before the fault was in force.')
  return new ChaosError(
    'CHAOS_FLEET_RUN_LOST',
    `The run was lost before the fault was in force: ${why ?? 'unknown reason'}. Every instance reverts within its lease.`,
  )
}
