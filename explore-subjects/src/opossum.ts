import assert from 'node:assert/strict'
import { failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { explore } from '@chaos/test'
import CircuitBreaker from 'opossum'
import { once } from 'node:events'
import { Service } from './service.js'
import { settled, shared, type Subject } from './subject.js'

const CALLS = 4
const TIMEOUT_MS = 200
const RESET_MS = 20

const subjectOf = (remedy?: { readonly remedy: string }): Subject => ({
  name: 'opossum',
  ...remedy,
  promise:
    'Each call ends, an open circuit calls nobody, at most `capacity` calls are under way, and the circuit closes once the service is well again.',
  servers: [],
  isSteady: false,
  explore(how) {
    let service = new Service()
    return explore(
      {
        ...shared(how),
        name: 'opossum',
        reset: () => void (service = new Service()),
        targets: () => ({ service }),
        faults: { service: [refuseCalls, failAfterCall, hangCalls] },
      },
      async ({ settle }) => {
        let [underWay, most, isWell] = [0, 0, false]
        const breaker = new CircuitBreaker(
          async (signal?: AbortSignal) => {
            underWay += 1
            most = Math.max(most, underWay)
            try {
              return isWell ? 0 : await service.charge(undefined, signal)
            } finally {
              underWay -= 1
            }
          },
          {
            timeout: TIMEOUT_MS,
            errorThresholdPercentage: 50,
            resetTimeout: RESET_MS,
            capacity: 1,
            ...(remedy && { autoRenewAbortController: true }),
          },
        )
        const fire = () => settled(remedy ? breaker.fire(signalOf(breaker)) : breaker.fire())
        try {
          for (let call = 0; call < CALLS; call += 1) {
            const isOpen = breaker.opened
            const { charged } = service
            await fire()
            if (isOpen) assert.equal(service.charged, charged, 'an open circuit called the service')
          }
          if (breaker.opened) await once(breaker, 'halfOpen')
          isWell = true
          assert.deepEqual(await fire(), { value: 0 })
          assert.ok(breaker.closed, 'the circuit is not closed')
          await settle()
          assert.ok(most <= 1, `${most} calls were under way`)
        } finally {
          breaker.shutdown()
        }
      },
    )
  },
})

/** The signal of a breaker, which its types do not know. */
function signalOf(breaker: object): AbortSignal {
  return (breaker as { readonly getSignal: () => AbortSignal }).getSignal()
}

/** opossum, with the options of its first example and shorter times. */
export const opossumSubject = subjectOf()
/** The same with a signal that ends calls which time out. */
export const opossumRemedy = subjectOf({ remedy: 'calls end by the signal of `autoRenewAbortController`' })
