import assert from 'node:assert/strict'
import { delayCalls, failAfterCall, refuseCalls } from '@chaos/adapter'
import { withScope } from '@chaos/core'
import { calm } from '../shared/calm.js'
import { corpusApp, runningApp } from '../shared/corpus-app.js'
import { testTime } from '../shared/time.js'
import { Mail, Payments, Stock, type Order } from './services.js'
import { Shop, type ShopBug } from './shop.js'

const ORDERS: readonly Order[] = [
  { id: 'order 1', item: 'lamp', amount: 40, card: 'good' },
  { id: 'order 2', item: 'chair', amount: 90, card: 'declined' },
]

const charge = { scope: 'order 1', target: 'payments', operation: 'charge' } as const

/** A shop with retries. */
export const shop = corpusApp<ShopBug>({
  name: 'shop',
  bugs: {
    'retry-without-idempotency-key': {
      story: 'Each try of a payment has a key of its own. A payment whose reply is lost is made twice.',
      revealedBy: [{ ...charge, call: 1, fault: 'adapter/fail-after-call' }],
    },
    'timeout-without-cancel': {
      story: 'A payment that takes too long is forgotten, not cancelled. It is made after the order was rejected.',
      revealedBy: [{ ...charge, call: 1, fault: 'adapter/delay-calls' }],
    },
    'swallowed-error': {
      story: 'An error while a payment is taken back is ignored. The order is rejected, and paid.',
      revealedBy: [
        { ...charge, call: 1, times: 'always', fault: 'adapter/fail-after-call' },
        { scope: 'order 1', target: 'payments', operation: 'cancel', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
    'cascading-fallback': {
      story: 'When the fallback fails too, a second one promises goods that nobody has reserved.',
      revealedBy: [
        { scope: 'order 1', target: 'warehouse', operation: 'reserve', call: 1, fault: 'adapter/refuse-calls' },
        { scope: 'order 1', target: 'outlet', operation: 'reserve', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
    'rollback-tried-once': {
      story: 'A reservation is released by one try. If it fails, a rejected order keeps its item for ever.',
      revealedBy: [
        { scope: 'order 2', target: 'warehouse', operation: 'release', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
  },
  make(bugs) {
    const services = { payments: new Payments(), warehouse: new Stock(), outlet: new Stock(), mail: new Mail() }
    const { payments, warehouse, outlet, mail } = services
    const time = testTime()
    const lost = [refuseCalls(), failAfterCall()]
    return runningApp({
      targets: services,
      faults: {
        payments: [...lost, delayCalls({ methods: 'charge', delayMs: 60 })],
        warehouse: lost,
        outlet: lost,
        mail: lost,
      },
      clock: time.clock,
      async body() {
        const sut = new Shop(services, time, bugs)
        const answers = new Map<Order, string>()
        for (const order of ORDERS) {
          answers.set(order, await withScope(order.id, () => time.run(() => sut.place(order))))
          // What is under way arrives.
          await time.pass(100)
        }
        await calm(() => sut.settle())
        for (const [{ id }, answer] of answers) {
          const expected = answer === 'confirmed' ? 1 : 0
          const reserved = [warehouse, outlet].filter((stock) => stock.has(id))
          assert.equal(payments.chargesOf(id), expected, `${id} is ${answer}: charges`)
          assert.equal(reserved.length, expected, `${id} is ${answer}: reservations`)
          assert.ok(mail.sentTo(id) >= expected, `${id} is ${answer}: mails`)
        }
      },
      reset() {
        time.reset()
        for (const service of Object.values(services)) service.reset()
      },
    })
  },
})
