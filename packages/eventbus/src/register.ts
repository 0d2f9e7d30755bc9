import type { Targets } from '@chaos/core'
import {
  corruptEvents,
  delayEvents,
  dropEvents,
  duplicateEvents,
  failCloning,
  partitionBus,
  reorderEvents,
  stallListeners,
  throttleEvents,
} from './index.js'

/**
 * No targets: a bus of the application cannot be found automatically. The faults apply to targets of other injectors,
 * such as the workers of `@chaos/worker`.
 */
export const targets = (): Targets => ({})

/**
 * The faults that work on threads and processes. `@chaos/control/register` offers them on every registered target that
 * accepts them.
 */
export const faults = [
  corruptEvents,
  delayEvents,
  dropEvents,
  duplicateEvents,
  failCloning,
  partitionBus,
  reorderEvents,
  stallListeners,
  throttleEvents,
] as const
