import { auditLog, type AuditEntry } from '../audit/audit-log.js'
import { usage, type Arguments } from './arguments.js'
import type { Io } from './io.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 10_000

/** Prints the last entries of the audit log. @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid limit */
export function audit(args: Arguments, io: Io): void {
  const limit = Number(args.text('limit') ?? DEFAULT_LIMIT)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw usage(`Expected \`--limit\` to be a whole number from 1 to ${MAX_LIMIT}.`)
  const entries = auditLog().read(limit)
  if (args.isOn('json')) for (const entry of entries) io.out(JSON.stringify(entry))
  else if (entries.length === 0) io.out('The audit log is empty.')
  else for (const entry of entries) io.out(lineOf(entry))
}

function lineOf({
  at,
  by,
  pid,
  client = '',
  action,
  outcome,
  code,
  message,
  detail,
  arguments: given,
}: AuditEntry): string {
  const parts = [
    `${at}  ${by.padEnd(6)}  ${action.padEnd(18)} ${outcome.padEnd(7)}`,
    [client, by === 'model' ? `(server ${pid})` : ''].join(' ').trim(),
    code ?? '',
    message ?? '',
    given === undefined ? '' : JSON.stringify(given),
    detail === undefined ? '' : JSON.stringify(detail),
  ]
  return parts.filter((part) => part !== '').join('  ')
}
