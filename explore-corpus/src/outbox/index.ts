import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { delayEvents, dropEvents, duplicateEvents } from '@chaos/eventbus'
import { calm } from '../shared/calm.js'
import { corpusApp, runningApp } from '../shared/corpus-app.js'
import { testTime } from '../shared/time.js'
import { Consumer, Orders, Relay, type OutboxBug } from './outbox.js'
import { OrderStore, Points, Shipments } from './services.js'

/** An outbox with a consumer. */
export const outbox = corpusApp<OutboxBug>({
  name: 'outbox',
  bugs: {
    'consumer-not-idempotent': {
      story: 'Points have no id. An event that is delivered twice counts twice.',
      revealedBy: [{ target: 'bus', operation: 'order', call: 1, fault: 'eventbus/duplicate-events' }],
    },
    'order-inversion': {
      story: 'The version of an event is ignored. An old address that arrives late replaces the new one.',
      revealedBy: [{ target: 'bus', operation: 'order', call: 1, fault: 'eventbus/delay-events' }],
    },
    'ack-before-the-work': {
      story: 'An event is acknowledged before it is handled. If that fails, nobody sends it again.',
      revealedBy: [{ target: 'shipments', operation: 'put', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'dual-write': {
      story: 'An order and its event are written one after the other. An order can be left without an event.',
      revealedBy: [{ target: 'store', operation: 'append', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'poison-message-blocks': {
      story: 'A failure that cannot be noted stops the consumer: all later events wait for the one that failed.',
      revealedBy: [
        { target: 'shipments', operation: 'put', call: 1, fault: 'adapter/refuse-calls' },
        { target: 'store', operation: 'noteFailure', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
  },
  make(bugs) {
    const [store, shipments, points] = [new OrderStore(), new Shipments(), new Points()]
    const services = { store, bus: new EventEmitter(), shipments, points }
    const time = testTime()
    const lost = [refuseCalls(), failAfterCall()]
    return runningApp({
      targets: services,
      faults: {
        store: [refuseCalls(), failAfterCall({ methods: ['save*', 'append', 'acknowledge', 'noteFailure'] })],
        bus: [dropEvents(), duplicateEvents(), delayEvents({ delayMs: 50, order: 'free' })],
        shipments: lost,
        points: lost,
      },
      clock: time.clock,
      async body() {
        const consumer = new Consumer(services, bugs)
        try {
          const [orders, relay] = [new Orders(services, bugs), new Relay(services)]
          // A customer who gets an error goes away.
          const send = (order: string, address: string): Promise<void> =>
            time.run(() => orders.send(order, address)).catch(() => undefined)
          await send('a', 'Old Street 1')
          await send('a', 'New Street 2')
          const flush = async (): Promise<void> => {
            await relay.flush().catch(() => undefined)
            await time.pass(100)
          }
          await flush()
          await calm(async () => {
            await flush()
            await flush()
          })
        } finally {
          consumer.close()
        }
        assert.equal(store.unsent, 0, 'events that were not acknowledged')
        for (const { order, version, address } of store.orders) {
          assert.equal(shipments.addressOf(order), address, `address of ${order}`)
          assert.equal(points.of(order), version * 10, `points of ${order}`)
        }
      },
      reset() {
        time.reset()
        for (const service of [store, shipments, points]) service.reset()
      },
    })
  },
})
