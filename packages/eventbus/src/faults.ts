// Written by `npm run sync` from the tree.

import {
  corruptEvents,
  delayEvents,
  disconnectClient,
  dropEvents,
  duplicateEvents,
  failCloning,
  failListeners,
  lagConsumer,
  loseAcks,
  nackEvents,
  partitionBus,
  poisonEvents,
  redeliverEvents,
  reorderEvents,
  stallListeners,
  throttleEvents,
} from './index.js'

/** Every fault of `@chaos/eventbus`. */
export const faults = [
  corruptEvents,
  delayEvents,
  disconnectClient,
  dropEvents,
  duplicateEvents,
  failCloning,
  failListeners,
  lagConsumer,
  loseAcks,
  nackEvents,
  partitionBus,
  poisonEvents,
  redeliverEvents,
  reorderEvents,
  stallListeners,
  throttleEvents,
] as const
