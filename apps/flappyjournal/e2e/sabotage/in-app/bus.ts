import { setTimeout as pause } from 'node:timers/promises'
import type { App } from '../../../src/app.js'
import type { ConsciousnessEventBus } from '../../../src/event-bus.js'
import type { AppSabotages } from './app-sabotage.js'

/** What the bus hands to a listener beside the payload. */
interface Delivery {
  readonly publishedAt: number
}
type Listener = (payload: unknown, delivery?: Delivery) => void

/** An event that came later than this, in ms, was held. */
const HELD_MS = 300

/** A delivery that the bus does not account for: as far as it knows, it happened once. */
const unaccounted = (delivery?: Delivery): Delivery & { open: ReadonlySet<unknown> } => ({
  publishedAt: 0,
  ...delivery,
  open: new Set(),
})
const wasHeld = (delivery?: Delivery): boolean =>
  delivery !== undefined && performance.now() - delivery.publishedAt > HELD_MS

/** Puts something in the place of every listener of a bus, or of those of one event. */
function wrapListeners(
  bus: ConsciousnessEventBus,
  wrap: (listener: Listener, event: string) => Listener,
  only?: string,
): void {
  for (const event of bus
    .eventNames()
    .filter((name): name is string => typeof name === 'string' && (only === undefined || name === only))) {
    const listeners = bus.rawListeners(event) as Listener[]
    bus.removeAllListeners(event)
    for (const listener of listeners) bus.on(event, wrap(listener, event))
  }
}

/** Replaces what is sent to WebSocket clients of the journal. `undefined`: nothing is. */
function interceptPushes({ server }: App, send: (text: string, reallySend: (text: string) => void) => void): void {
  server.websocketServer.on('connection', (client) => {
    const original = client.send.bind(client) as (text: string) => void
    client.send = (text: string) =>
      text.startsWith('{"event":"journal:changed"') ? send(text, original) : original(text)
  })
}

export const busSabotages: AppSabotages = {
  'held-events-twice': {
    apply: ({ bus }) =>
      wrapListeners(bus, (listener) => (payload, delivery) => {
        const isHeld = wasHeld(delivery)
        listener(payload, delivery)
        if (isHeld) listener(payload, unaccounted(delivery))
      }),
  },
  'held-events-again-after-release': {
    apply({ bus }, moments) {
      const again: (() => void)[] = []
      wrapListeners(bus, (listener) => (payload, delivery) => {
        if (!moments.has('ended') && wasHeld(delivery)) again.push(() => listener(payload, unaccounted(delivery)))
        listener(payload, delivery)
      })
      moments.at('ended', () => again.forEach((deliver) => deliver()), 1_000)
    },
  },
  'pushes-lost': {
    apply: (app, moments) =>
      interceptPushes(app, (text, send) => {
        if (!moments.has('landed')) send(text)
      }),
  },
  'pushes-twice-after-recovery': {
    apply(app, moments) {
      let isRecovered = false
      moments.at('ended', () => (isRecovered = true), 4_000)
      interceptPushes(app, (text, send) => {
        send(text)
        if (isRecovered) send(text)
      })
    },
  },
  'pushes-in-reverse': {
    apply(app, moments) {
      const waiting: (() => void)[] = []
      interceptPushes(app, (text, send) => {
        if (!moments.has('ended')) send(text)
        else waiting.unshift(() => send(text))
      })
      moments.at('ended', async () => {
        for (;;) {
          await pause(1_000, undefined, { ref: false })
          for (const send of waiting.splice(0)) send()
        }
      })
    },
  },
}
