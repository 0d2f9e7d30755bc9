import type { ErrorMaker } from './failing-call.js'
import { fileSystemErrors } from './file-system.js'
import { mongodbErrors } from './mongodb.js'
import { mysqlErrors } from './mysql.js'
import { networkErrors } from './network.js'
import { postgresErrors } from './postgres.js'
import { redisErrors } from './redis.js'

export type { ErrorMaker } from './failing-call.js'

/** A dependency that says no at once, with no detail: what a gateway or a client-side breaker answers. */
const failFast = (): Error => Object.assign(new Error('Service unavailable'), { code: 'ERR_SERVICE_UNAVAILABLE' })

/** Named outages: each makes a fresh error, as the real dependency or its driver makes it. */
export const errorPresets = {
  'fail-fast': failFast,
  ...networkErrors,
  ...fileSystemErrors,
  ...postgresErrors,
  ...redisErrors,
  ...mysqlErrors,
  ...mongodbErrors,
} satisfies Record<string, ErrorMaker>

/** The name of an error preset. */
export type ErrorPreset = keyof typeof errorPresets

/** Names of all error presets. */
export const errorPresetNames = Object.keys(errorPresets) as [ErrorPreset, ...ErrorPreset[]]
