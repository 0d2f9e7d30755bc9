import { networkErrors, type Endpoint } from './network.js'

/** A dependency that says no at once, with no detail: what a gateway or a client-side breaker answers. */
const failFast = (): Error => Object.assign(new Error('Service unavailable'), { code: 'ERR_SERVICE_UNAVAILABLE' })

/** Named outages: each makes a fresh error. */
export const errorPresets = { 'fail-fast': failFast, ...networkErrors } satisfies Record<string, (at: Endpoint) => Error>

/** The name of an error preset. */
export type ErrorPreset = keyof typeof errorPresets

/** Names of all error presets. */
export const errorPresetNames = Object.keys(errorPresets) as [ErrorPreset, ...ErrorPreset[]]
