import type { ChaosErrorCode } from '@chaos/core'

/** How clients handle an error code. */
export interface ErrorInfo {
  /** The HTTP status that a control endpoint answers with. */
  readonly status: number
  /** The kind of failure. The `chaos` command has one exit code for each kind. */
  readonly kind: 'usage' | 'unreachable' | 'refused' | 'internal'
  /** The next step for the user. Absent if the message or the command's help already states it. */
  readonly advice?: string
}

const TABLE: Readonly<Partial<Record<string, ErrorInfo>>> = {
  // Errors in a request for a fault.
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
  CHAOS_NO_LIVE_WORKER: { status: 409, kind: 'usage', advice: 'wait until a worker runs, then inject again' },
  CHAOS_LISTEN_FAILED: { status: 409, kind: 'usage' },
  CHAOS_PROXY_CLOSED: { status: 409, kind: 'usage' },

  // Refusals.
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
    advice: 'connect from the same machine to localhost; requests for other hosts are rejected',
  },
  CHAOS_EXPERIMENT_REFUSED: {
    status: 409,
    kind: 'refused',
    advice: 'nothing was broken; remove the reason above, then run it again',
  },

  CHAOS_ARMING_CLOSED: {
    status: 403,
    kind: 'refused',
    advice: 'a person permits it for a while with `chaos-mcp open`, typed in a terminal',
  },
  CHAOS_TERMINAL_REQUIRED: {
    status: 403,
    kind: 'refused',
    advice: 'type the command in a terminal of your own',
  },
  CHAOS_AUDIT_NOT_WRITTEN: {
    status: 409,
    kind: 'refused',
    advice: 'make room for the audit log, or repair its directory; nothing was broken',
  },

  // Invalid requests to an endpoint.
  CHAOS_INVALID_REQUEST: { status: 400, kind: 'usage' },
  CHAOS_METHOD_NOT_ALLOWED: { status: 405, kind: 'usage' },
  CHAOS_BODY_TOO_SLOW: { status: 408, kind: 'usage' },
  CHAOS_BODY_TOO_LARGE: { status: 413, kind: 'usage' },
  CHAOS_URL_TOO_LONG: { status: 414, kind: 'usage' },
  CHAOS_UNSUPPORTED_MEDIA_TYPE: { status: 415, kind: 'usage' },
  CHAOS_TOO_MANY_REQUESTS: { status: 429, kind: 'usage', advice: 'wait a moment, then try again' },
  CHAOS_UNKNOWN_CONNECTION: { status: 409, kind: 'usage' },
  CHAOS_IDEMPOTENCY_KEY_REUSED: { status: 422, kind: 'usage' },

  // Failures to find a process.
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
    advice: 'choose one with --pid or --name, or with --socket if those are equal',
  },
  CHAOS_SOCKET_DIRECTORY: { status: 409, kind: 'usage' },

  // Failures of experiments and oracles.
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
  CHAOS_FAULT_MISSED: { status: 409, kind: 'usage' },
  CHAOS_INVARIANT_BROKEN: { status: 409, kind: 'usage' },
  CHAOS_NOT_EXPLORED: { status: 409, kind: 'usage' },

  // Failures of fleets.
  CHAOS_FLEET_PLAN_REFUSED: { status: 403, kind: 'refused', advice: 'list every reason with `chaos fleet plan`' },
  CHAOS_FLEET_RUN_REFUSED: { status: 409, kind: 'refused', advice: 'list every reason with `chaos fleet plan`' },
  CHAOS_FLEET_RUN_LOST: { status: 409, kind: 'unreachable', advice: 'see what happened with `chaos fleet audit`' },
  CHAOS_FLEET_JOURNAL_BROKEN: { status: 409, kind: 'usage' },
  CHAOS_FLEET_UNREACHABLE: { status: 409, kind: 'unreachable' },
  CHAOS_FLEET_FORBIDDEN: { status: 403, kind: 'refused' },
  CHAOS_FLEET_IRREVERSIBLE: { status: 409, kind: 'refused' },
  CHAOS_FLEET_KEY_REFUSED: { status: 409, kind: 'usage' },

  // Failures of faults and of the toolkit.
  CHAOS_INJECTION_ENDED: { status: 409, kind: 'usage' },
  CHAOS_ROLLBACK_FAILED: {
    status: 500,
    kind: 'internal',
    advice: 'see what is still in force with `chaos status`, and restart the process if it misbehaves',
  },
  CHAOS_CORE_CONFLICT: {
    status: 409,
    kind: 'internal',
    advice: 'list the installed versions with `npm ls @chaos/core`',
  },
  CHAOS_INTERNAL_ERROR: { status: 500, kind: 'internal' },
}

/** The entry for codes of third-party faults. They usually mean that the state of the target prevents the fault. */
const OTHER: ErrorInfo = { status: 409, kind: 'usage' }

/** Every error code of this toolkit. */
export const ERROR_CODES = Object.keys(TABLE) as readonly ChaosErrorCode[]

/** Returns the HTTP status, the kind of failure and the next step of an error code. */
export function errorInfo(code: ChaosErrorCode): ErrorInfo {
  return TABLE[code] ?? OTHER
}
