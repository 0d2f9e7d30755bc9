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

/** Checks a probe in a file. */
export const portableProbe = v.variant('type', schemasOf(PORTABLE_PROBES), oneOf(PORTABLE_PROBES))
/** Checks a probe in a module. */
export const anyProbe = v.variant('type', schemasOf(PROBES), oneOf(PROBES))

/** A reading free of side effects. */
export type Probe = v.InferOutput<typeof anyProbe>

/** The type of a probe. */
export function probeTypeOf({ type }: Pick<Probe, 'type'>): ProbeType {
  const found = PROBES.find((one) => one.type === type)
  if (found === undefined) throw new Error(`there is no probe of the type ${type}`)
  return found
}

/** Address of the monitoring that a probe asks, without a slash at its end; `undefined`: it asks no monitoring. */
export function monitoringOf(probe: Probe): string | undefined {
  const type = probeTypeOf(probe)
  const origin = type.asksMonitoring === true ? type.origin?.(probe) : undefined
  return origin === undefined ? undefined : withoutSlash(origin)
}

/** Whether probes of a type ask a monitoring, so that a reading that fails says nothing about the system. */
export function asksMonitoring(type: string): boolean {
  return PROBES.some((one: ProbeType) => one.type === type && one.asksMonitoring === true)
}
