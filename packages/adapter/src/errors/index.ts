import type { ErrorMaker } from './failing-call.js'
import { fileSystemErrors } from './file-system.js'
import { mongodbErrors } from './mongodb.js'
import { mysqlErrors } from './mysql.js'
import { networkErrors } from './network.js'
import { postgresErrors } from './postgres.js'
import { redisErrors } from './redis.js'

export type { ErrorMaker } from './failing-call.js'

/** A dependency that refuses at once and without details, like a gateway or a circuit breaker in the client. */
const failFast = (): Error => Object.assign(new Error('Service unavailable'), { code: 'ERR_SERVICE_UNAVAILABLE' })

/** The error presets. Each makes a new error, like that of the real dependency or its driver. */
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

/** The names of all error presets. */
export const errorPresetNames = Object.keys(errorPresets) as [ErrorPreset, ...ErrorPreset[]]
