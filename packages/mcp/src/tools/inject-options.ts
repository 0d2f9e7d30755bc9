import { option, portableInjectOptions } from '@chaos/core/authoring'
import { processOption } from './process-option.js'

/** The lease of an injection by a tool, in ms: the default, and the longest. */
const DEFAULT_TOOL_LEASE_MS = 15_000
export const MAX_TOOL_LEASE_MS = 60_000

const { rate, limit, limitPerOperation, skip, every, only, scope, seed, id } = portableInjectOptions

/** The arguments of `plan` and `inject`. */
export const injectArguments = {
  process: processOption,
  target: option.text('The target, as list_targets shows it.', 1_000),
  fault: option.text('The fault: its full name, or the part after the slash.', 1_000),
  options: option.optional(option.object('The options of the fault, as its schema says.')),
  leaseMs: option.optional(
    option.count('The longest time that the fault stays in force, in ms. Default 15,000.', 1, MAX_TOOL_LEASE_MS),
    DEFAULT_TOOL_LEASE_MS,
  ),
  rate,
  limit,
  limitPerOperation,
  skip,
  every,
  only,
  scope,
  seed,
  id,
}

/** The inject options among the arguments, without those that were not given. */
export function howOf(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { process: _process, target: _target, fault: _fault, options: _options, hold: _hold, ...how } = args
  return Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined))
}
