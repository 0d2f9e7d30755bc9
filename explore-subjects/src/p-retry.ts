import assert from 'node:assert/strict'
import { failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { explore } from '@chaos/test'
import pRetry from 'p-retry'
import { Service } from './service.js'
import { settled, shared, type Subject } from './subject.js'

const RETRIES = 2

const subjectOf = (remedy?: { readonly remedy: string }): Subject => ({
  name: 'p-retry',
  ...remedy,
  promise: `A call succeeds or is tried ${RETRIES + 1} times, ends with the error of the last try, and has one effect.`,
  servers: [],
  isSteady: true,
  explore(how) {
    let service = new Service()
    return explore(
      {
        ...shared(how),
        name: 'p-retry',
        reset: () => void (service = new Service()),
        targets: () => ({ service }),
        faults: {
          service: [
            refuseCalls,
            failAfterCall,
            refuseCalls({ makeError: () => new TypeError('Cannot read properties of undefined') }),
            ...(how.hangs ? [hangCalls] : []),
          ],
        },
      },
      async () => {
        let tries = 0
        const errors: unknown[] = []
        const outcome = await settled(
          pRetry(
            async () => {
              tries += 1
              return service.charge(remedy && 'order 7')
            },
            {
              retries: RETRIES,
              minTimeout: 0,
              maxRetryTime: 1_000,
              onFailedAttempt: ({ error }) => void errors.push(error),
            },
          ),
        )
        if ('error' in outcome) {
          assert.equal(outcome.error, errors.at(-1), 'the error is not that of the last try')
          assert.equal(tries, RETRIES + 1, `gave up after ${tries} of ${RETRIES + 1} tries`)
        } else assert.equal(outcome.value, service.charged, 'the value is not the answer of the service')
        assert.ok(tries <= RETRIES + 1, `tried ${tries} times`)
        assert.ok(service.charged <= 1, `charged ${service.charged} times`)
      },
    )
  },
})

/** p-retry, as in the example of its documentation. */
export const pRetrySubject = subjectOf()
/** The same with calls that the service recognizes. */
export const pRetryRemedy = subjectOf({ remedy: 'each call carries an idempotency key' })
