import assert from 'node:assert/strict'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { calm } from '../shared/calm.js'
import { corpusApp, runningApp } from '../shared/corpus-app.js'
import { testTime } from '../shared/time.js'
import { Bookings, PackageHotels, SagaLog, Wallet } from './services.js'
import { PRICE, TripSaga, type SagaBug } from './saga.js'

const TRIP = 'trip'
const MONEY = 1_000

/** A saga with compensation. */
export const saga = corpusApp<SagaBug>({
  name: 'saga',
  bugs: {
    'compensation-not-idempotent': {
      story: 'A refund has no id. A saga that is recovered after a lost reply pays the money back twice.',
      revealedBy: [
        { target: 'flights', operation: 'book', call: 1, fault: 'adapter/refuse-calls' },
        { target: 'wallet', operation: 'refund', call: 1, fault: 'adapter/fail-after-call' },
      ],
    },
    'compensation-in-booking-order': {
      story:
        'Steps are undone in the order in which they were taken. The flight goes first, and the hotel costs a fee.',
      revealedBy: [{ target: 'cars', operation: 'book', call: 1, fault: 'adapter/refuse-calls' }],
    },
    'lost-reply-not-compensated': {
      story: 'The step that failed is not undone. It was taken, and only its reply was lost.',
      revealedBy: [{ target: 'hotels', operation: 'book', call: 1, fault: 'adapter/fail-after-call' }],
    },
    'compensation-error-swallowed': {
      story: 'An error while undoing is ignored, and the trip counts as cancelled.',
      revealedBy: [
        { target: 'hotels', operation: 'book', call: 1, fault: 'adapter/refuse-calls' },
        { target: 'flights', operation: 'cancel', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
    'log-after-the-step': {
      story: 'A step is logged once it is taken. Recovery does not know of a step whose reply was lost.',
      revealedBy: [
        { target: 'flights', operation: 'book', call: 1, fault: 'adapter/fail-after-call' },
        { target: 'flights', operation: 'cancel', call: 1, fault: 'adapter/refuse-calls' },
      ],
    },
  },
  make(bugs) {
    const flights = new Bookings()
    const hotels = new PackageHotels(flights)
    const services = { wallet: new Wallet(MONEY), flights, hotels, cars: new Bookings(), log: new SagaLog() }
    const { wallet, cars } = services
    const time = testTime()
    const lost = [refuseCalls(), failAfterCall()]
    return runningApp({
      targets: services,
      faults: { wallet: lost, flights: lost, hotels: lost, cars: lost, log: lost },
      clock: time.clock,
      async body() {
        const sut = new TripSaga(services, bugs)
        const reached = await sut.book(TRIP)
        const status = await calm(async () => (reached === 'pending' ? sut.recover(TRIP) : reached))
        assert.notEqual(status, 'pending', 'the trip has ended')
        const isBooked = status === 'booked'
        assert.deepEqual(
          { flight: flights.has(TRIP), hotel: hotels.has(TRIP), car: cars.has(TRIP) },
          { flight: isBooked, hotel: isBooked, car: isBooked },
          `the trip is ${status}: bookings`,
        )
        assert.equal(wallet.balance, isBooked ? MONEY - PRICE : MONEY, `the trip is ${status}: balance`)
        assert.equal(hotels.fees, 0, 'fees')
      },
      reset() {
        time.reset()
        for (const service of Object.values(services)) service.reset()
      },
    })
  },
})
