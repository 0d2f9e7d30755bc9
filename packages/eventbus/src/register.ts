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

/** A bus of the application is not known by itself: the targets are those of other injectors, such as the workers of `@chaos/worker`. */
export const targets = (): Targets => ({})

/** Offered by `@chaos/control/register` on every registered target that accepts them: faults that threads and processes can feel. */
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
