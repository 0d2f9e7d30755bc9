export { bindEmitter, type BindEmitterOptions } from './in-process/event-emitter.js'
export { bindChannel, type ChannelEnd, type ChannelTarget } from './in-process/channel.js'
export type { IpcEnd } from './in-process/child-process.js'
export { bindEventTarget, type EventTargetLike } from './in-process/event-target.js'
export type { PortLike, PostingEnd } from './in-process/port.js'
export type { WorkerLike } from './in-process/worker.js'
export type { BusTarget } from './in-process/bus-target.js'
export { bindSubject, type SubjectLike } from './in-process/subject.js'
export {
  bindBus,
  isBus,
  type Begun,
  type Bus,
  type BusDefinition,
  type Connection,
  type EventName,
  type Failure,
  type Message,
  type Seam,
  type SeamBinding,
  type Steps,
  type Subscriber,
  type Tap,
} from './seams/bus.js'
// #region faults: written by `npm run sync`
export { corruptEvents, type CorruptEventsOptions } from './faults/corrupt-events.js'
export { delayEvents, type DelayEventsOptions } from './faults/delay-events.js'
export { disconnectClient, type DisconnectClientOptions } from './faults/disconnect-client.js'
export { dropEvents, type DropEventsOptions } from './faults/drop-events.js'
export { duplicateEvents, type DuplicateEventsOptions } from './faults/duplicate-events.js'
export { failCloning, type FailCloningOptions } from './faults/fail-cloning.js'
export { failListeners, type FailListenersOptions } from './faults/fail-listeners.js'
export { lagConsumer, type LagConsumerOptions } from './faults/lag-consumer.js'
export { loseAcks, type LoseAcksOptions } from './faults/lose-acks.js'
export { nackEvents, type NackEventsOptions } from './faults/nack-events.js'
export { partitionBus, type PartitionBusOptions } from './faults/partition-bus.js'
export { poisonEvents, type PoisonEventsOptions } from './faults/poison-events.js'
export { redeliverEvents, type RedeliverEventsOptions } from './faults/redeliver-events.js'
export { reorderEvents, type ReorderEventsOptions } from './faults/reorder-events.js'
export { stallListeners, type StallListenersOptions } from './faults/stall-listeners.js'
export { throttleEvents, type ThrottleEventsOptions } from './faults/throttle-events.js'
// #endregion
export type { Guarantee, Violation } from './oracle/ledger.js'
export {
  observeDelivery,
  type DeliveryObserver,
  type Observation,
  type ObserveDeliveryOptions,
} from './oracle/observe-delivery.js'
export { carryScopes, type CarriedScopes, type CarryScopesOptions } from './scopes/carry-scopes.js'
export { eventScopes, type EventScopes } from './scopes/event-scopes.js'
export type { EmitterLike } from './seams/emitter-listeners.js'
export { methodSeam, type MessageParts, type MethodSeam } from './seams/method-seam.js'
