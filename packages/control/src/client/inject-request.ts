import * as v from 'valibot'
import { ChaosError, type PortableInjectOptions } from '@chaos/core'
import { DEFAULT_LEASE_MS, printable } from '@chaos/core/authoring'
import { checkPortable } from '../api/portable.js'

const holdSchema = v.optional(v.picklist(['lease', 'connection']), 'lease')

/** Checks the `hold` of a caller. @throws ChaosError `CHAOS_INVALID_OPTION` */
export function holdOf(asked: unknown): 'lease' | 'connection' {
  const hold = v.safeParse(holdSchema, asked)
  if (hold.success) return hold.output
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`hold\` to be \`lease\` or \`connection\`, got \`${printable(asked)}\`.`,
  )
}

/**
 * The body of a request for one injection.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is not JSON data
 */
export function injectBody(
  target: string,
  fault: string,
  options: Readonly<Record<string, unknown>> | undefined,
  how: PortableInjectOptions,
): object {
  checkPortable(options, 'options')
  for (const [name, value] of Object.entries(how)) checkPortable(value, name)
  return { ...how, target, fault, options }
}

/** The lease of an injection, for the time that its answer may take: that of an instant fault comes when it is done. */
export const leaseOf = ({ leaseMs }: PortableInjectOptions): number =>
  typeof leaseMs === 'number' ? leaseMs : DEFAULT_LEASE_MS
