import { listed } from '@chaos/core/authoring'
import * as v from 'valibot'
import { withoutSlash } from '../shared/address.js'
import { PORTABLE_PROBES, PROBES } from './every-type.js'
import type { ProbeType } from './probe-type.js'

type Schemas<Types extends readonly { readonly schema: unknown }[]> = {
  -readonly [I in keyof Types]: Types[I]['schema']
}

function schemasOf<const Types extends readonly ProbeType[]>(types: Types): Schemas<Types> {
  return types.map(({ schema }) => schema) as Schemas<Types>
}

const oneOf = (types: readonly ProbeType[]): string => `one of the types ${listed(types.map(({ type }) => type))}`

/** Validates a probe in an experiment file. */
export const portableProbe = v.variant('type', schemasOf(PORTABLE_PROBES), oneOf(PORTABLE_PROBES))
/** Validates a probe in a module. */
export const anyProbe = v.variant('type', schemasOf(PROBES), oneOf(PROBES))

/** A probe: a reading without side effects, and its bounds. */
export type Probe = v.InferOutput<typeof anyProbe>

/** The probe type of a probe. */
export function probeTypeOf({ type }: Pick<Probe, 'type'>): ProbeType {
  const found = PROBES.find((one) => one.type === type)
  if (found === undefined) throw new Error(`there is no probe of the type ${type}`)
  return found
}

/**
 * The address of the monitoring system that a probe queries, without a trailing slash; `undefined`: it queries none.
 */
export function monitoringOf(probe: Probe): string | undefined {
  const type = probeTypeOf(probe)
  const origin = type.asksMonitoring === true ? type.origin?.(probe) : undefined
  return origin === undefined ? undefined : withoutSlash(origin)
}

/**
 * Whether probes of a type query a monitoring system, so that a failed reading says nothing about the system under
 * test.
 */
export function asksMonitoring(type: string): boolean {
  return PROBES.some((one: ProbeType) => one.type === type && one.asksMonitoring === true)
}
