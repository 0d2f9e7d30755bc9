import type { ChaosErrorCode } from '@chaos/core'

/** What an error code means for the client. */
export interface ErrorInfo {
  /** The HTTP status that a control endpoint answers with. */
  readonly status: number
  /** What kind of failure it is: the `chaos` command has one exit code for each. */
  readonly kind: 'usage' | 'unreachable' | 'refused' | 'internal'
  /** The next step. Missing where the message says it, or help of the command does. */
  readonly advice?: string
}

const TABLE: Readonly<Partial<Record<string, ErrorInfo>>> = {
  // How a fault is asked for.
  CHAOS_INVALID_OPTION: { status: 400, kind: 'usage' },
  CHAOS_UNKNOWN_TARGET: { status: 404, kind: 'usage', advice: 'list the targets with `chaos targets`' },
  CHAOS_UNKNOWN_FAULT: { status: 404, kind: 'usage', advice: 'list the faults with `chaos faults`' },
  CHAOS_UNKNOWN_INJECTION: { status: 404, kind: 'usage', advice: 'list the injections with `chaos status --all`' },
  CHAOS_DUPLICATE_TARGET: { status: 409, kind: 'usage' },
  CHAOS_TARGET_MISMATCH: {
    status: 409,
    kind: 'usage',
    advice: 'see which target takes which faults with `chaos targets`',
  },
  CHAOS_TARGET_SEALED: { status: 409, kind: 'usage' },
  CHAOS_NO_LIVE_WORKER: { status: 409, kind: 'usage', advice: 'inject again once a worker runs' },

  // Whether faults are allowed.
  CHAOS_DISABLED: { status: 403, kind: 'refused', advice: 'unset CHAOS_DISABLED in the process' },
  CHAOS_ENVIRONMENT_REFUSED: {
    status: 403,
    kind: 'refused',
    advice: 'start the process with NODE_ENV=development, or pass `environment` to createChaos',
  },
  CHAOS_UNAUTHORIZED: {
    status: 401,
    kind: 'refused',
    advice: 'pass the token of the endpoint in CHAOS_TOKEN or with --token-file',
  },
  CHAOS_FORBIDDEN: {
    status: 403,
    kind: 'refused',
    advice: 'reach the endpoint from the same machine, by localhost; requests for other hosts are rejected',
  },
  CHAOS_EXPERIMENT_REFUSED: {
    status: 409,
    kind: 'refused',
    advice: 'fix the experiment as described above; nothing was broken',
  },

  // Requests to an endpoint.
  CHAOS_INVALID_REQUEST: { status: 400, kind: 'usage' },
  CHAOS_METHOD_NOT_ALLOWED: { status: 405, kind: 'usage' },
  CHAOS_BODY_TOO_SLOW: { status: 408, kind: 'usage' },
  CHAOS_BODY_TOO_LARGE: { status: 413, kind: 'usage' },
  CHAOS_URL_TOO_LONG: { status: 414, kind: 'usage' },
  CHAOS_UNSUPPORTED_MEDIA_TYPE: { status: 415, kind: 'usage' },
  CHAOS_TOO_MANY_REQUESTS: { status: 429, kind: 'usage', advice: 'wait a moment, then try again' },
  CHAOS_UNKNOWN_CONNECTION: { status: 409, kind: 'usage' },

  // Finding a process.
  CHAOS_ENDPOINT_UNREACHABLE: {
    status: 409,
    kind: 'unreachable',
    advice: 'check that the process runs and that chaos is switched on in it',
  },
  CHAOS_NO_PROCESS: {
    status: 409,
    kind: 'unreachable',
    advice: 'open a control endpoint in your app (openSocket of @chaos/control), or pass --url and a token',
  },
  CHAOS_SEVERAL_PROCESSES: {
    status: 409,
    kind: 'unreachable',
    advice: 'choose one with --pid or --name, or with --socket where those are the same',
  },
  CHAOS_SOCKET_DIRECTORY: { status: 409, kind: 'usage' },

  // Experiments and oracles.
  CHAOS_INVALID_EXPERIMENT: {
    status: 409,
    kind: 'usage',
    advice: 'fix the file; `chaos run --var NAME=value` gives a variable its value',
  },
  CHAOS_REPORT_NOT_WRITTEN: {
    status: 409,
    kind: 'usage',
    advice: 'choose another directory with --report; nothing was broken',
  },
  CHAOS_DELIVERY_VIOLATED: { status: 409, kind: 'usage' },

  // Failures.
  CHAOS_INJECTION_ENDED: { status: 409, kind: 'usage' },
  CHAOS_ROLLBACK_FAILED: {
    status: 500,
    kind: 'internal',
    advice: 'see what is still in force with `chaos status`, and restart the process if it misbehaves',
  },
  CHAOS_CORE_CONFLICT: {
    status: 409,
    kind: 'internal',
    advice: 'see who installs which core with `npm ls @chaos/core`',
  },
  CHAOS_INTERNAL_ERROR: { status: 500, kind: 'internal' },
}

/** An error of a third party's fault: something about the target is in the way. */
const OTHER: ErrorInfo = { status: 409, kind: 'usage' }

/** Every code of this toolkit. */
export const ERROR_CODES = Object.keys(TABLE) as readonly ChaosErrorCode[]

/** What an error code means: its HTTP status, the kind of failure, and the next step. */
export function errorInfo(code: ChaosErrorCode): ErrorInfo {
  return TABLE[code] ?? OTHER
}
