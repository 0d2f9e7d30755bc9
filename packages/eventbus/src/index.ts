export type { EmitterLike, EventName, Seam } from './bindings/event-emitter.js'
export { delayEvents, type DelayEventsOptions } from './faults/delay-events.js'
