import { isChaosError } from '@chaos/core'
import { EXIT } from './exit-codes.js'

const REFUSED = new Set([
  'CHAOS_DISABLED',
  'CHAOS_ENVIRONMENT_REFUSED',
  'CHAOS_UNAUTHORIZED',
  'CHAOS_FORBIDDEN',
  'CHAOS_EXPERIMENT_REFUSED',
])
const UNREACHABLE = new Set(['CHAOS_ENDPOINT_UNREACHABLE', 'CHAOS_NO_PROCESS', 'CHAOS_SEVERAL_PROCESSES'])
const INTERNAL = new Set(['CHAOS_INTERNAL_ERROR', 'CHAOS_ROLLBACK_FAILED', 'CHAOS_FAULT_FAILED', 'CHAOS_CORE_CONFLICT'])

/** The exit code that tells an error's cause. */
export function exitCodeOfError(error: unknown): number {
  if (!isChaosError(error)) return EXIT.internal
  if (REFUSED.has(error.code)) return EXIT.refused
  if (UNREACHABLE.has(error.code)) return EXIT.unreachable
  return INTERNAL.has(error.code) ? EXIT.internal : EXIT.usage
}

const NEXT: Readonly<Record<string, string>> = {
  CHAOS_NO_PROCESS: 'open a control endpoint in your app (openSocket of @chaos/control), or pass --url and a token',
  CHAOS_SEVERAL_PROCESSES: 'choose one with --pid or --name; where those are the same, with --socket and its path',
  CHAOS_ENDPOINT_UNREACHABLE: 'check that the process runs and that chaos is switched on in it',
  CHAOS_UNAUTHORIZED: 'pass the token of the endpoint in CHAOS_TOKEN or with --token-file',
  CHAOS_UNKNOWN_TARGET: 'list what can be broken with `chaos targets`',
  CHAOS_UNKNOWN_FAULT: 'list the faults with `chaos faults`',
  CHAOS_UNKNOWN_INJECTION: 'list what is in force with `chaos status`',
  CHAOS_ENVIRONMENT_REFUSED: 'run the process in development or test, or name its environment in createChaos',
  CHAOS_DISABLED: 'unset CHAOS_DISABLED in the process',
  CHAOS_FORBIDDEN: 'reach the endpoint by the address it listens on: it answers its own host alone',
  CHAOS_EXPERIMENT_REFUSED: 'mend the experiment as the message says; nothing was broken',
  CHAOS_ROLLBACK_FAILED:
    'see what is still in force with `chaos status`, and restart the process if something is left behind',
  CHAOS_FAULT_FAILED: 'see its options with `chaos inject <target> <fault> --help`; what it had done was taken back',
  CHAOS_TARGET_MISMATCH: 'see which faults fit which target with `chaos targets`',
  CHAOS_REPORT_NOT_WRITTEN: 'choose another directory with --report; nothing was broken',
  CHAOS_INVALID_EXPERIMENT: 'mend the file; the JSON Schema of experiments is in @chaos/experiment',
}

/** The step to take after an error of a verb. */
export function nextStep(error: unknown, verb = ''): string {
  const known = isChaosError(error) ? NEXT[error.code] : undefined
  if (known !== undefined) return known
  return verb === 'inject'
    ? 'see the options with `chaos inject <target> <fault> --help`'
    : `see \`${`chaos ${verb}`.trim()} --help\``
}
