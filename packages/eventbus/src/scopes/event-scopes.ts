import { currentScope, inject } from '@chaos/core'
import {
  areScopesNeeded,
  defineFault,
  keepScopesOpen,
  MAX_TIMER_MS,
  openScope,
  runInScope,
} from '@chaos/core/authoring'
import { busOf, busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { Message, Tap } from '../seams/bus.js'

/** The scopes of events, as long as they are in force. */
export interface EventScopes {
  /** Takes everything back. */
  stop(): Promise<void>
}

/**
 * Opens a scope for each event that a bus delivers, in which its listeners run. It is named after the event, and nested in the
 * scope of the publisher.
 *
 * An emitter calls its listeners on behalf of the publisher anyway, also after a fault has held the event. A broker needs a header
 * for that: the message gets the member `chaos` in its `baggage` header, beside the members of the application. On a bus without
 * headers, the scope of an event is nested in none. While nobody needs scopes, neither is done.
 *
 * Call it before faults are injected: a fault above it decides in the scope of the publisher.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the target is not a bus, or an error of `inject`.
 */
export async function eventScopes(bus: BusTarget): Promise<EventScopes> {
  return keepScopesOpen(() => inject(openEventScopes(), bus, { leaseMs: MAX_TIMER_MS }))
}

/** A fault that breaks nothing. As a fault it is patched in and rolled back like any other. */
const openEventScopes = defineFault({
  name: 'eventbus/event-scopes',
  kind: 'standing',
  summary: 'Opens a scope for each event.',
  options: {},
  target: busTarget,
  inject(target: BusTarget, _options, context) {
    const { seams, handsOver = seams.publish, carriesScopes } = busOf(target)
    seams.delivery?.(delivering, context)
    if (carriesScopes === true) handsOver?.(publishing, context)
  },
})

const publishing: Tap = {
  // A binding may handle a message in another way once a fault covers it.
  covers: () => currentScope() !== undefined,
  take(message) {
    const scope = currentScope()
    return (scope === undefined ? message : (message.withScope?.(scope) ?? message)).forward()
  },
}

const delivering: Tap = {
  covers: () => true,
  take: (message) => (areScopesNeeded() ? delivered(message) : message.forward()),
}

function delivered(message: Message): unknown {
  const scope = openScope(String(message.name), { parent: message.scope ?? currentScope() })
  return runInScope(scope, () => message.forward())
}
