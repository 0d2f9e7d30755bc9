import assert from 'node:assert/strict'
import { failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { explore } from '@chaos/test'
import {
  BrokenCircuitError,
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import { setTimeout as pause } from 'node:timers/promises'
import { Service } from './service.js'
import { settled, shared, type Subject } from './subject.js'

const MAX_ATTEMPTS = 1
const CALLS = 3
const HALF_OPEN_AFTER_MS = 20
const TIMEOUT_MS = 200

/** cockatiel, with retries around a circuit breaker, a bulkhead and a timeout. */
export const cockatielSubject: Subject = {
  name: 'cockatiel',
  promise:
    'Each call ends, tries end at their limit, the bulkhead gets its slots back, and the circuit closes once the service is well again.',
  servers: [],
  isSteady: false,
  explore(how) {
    let service = new Service()
    return explore(
      {
        ...shared(how),
        name: 'cockatiel',
        reset: () => void (service = new Service()),
        targets: () => ({ service }),
        faults: { service: [refuseCalls, failAfterCall, hangCalls] },
      },
      async ({ settle }) => {
        const breaker = circuitBreaker(handleAll, {
          halfOpenAfter: HALF_OPEN_AFTER_MS,
          breaker: new ConsecutiveBreaker(2),
        })
        const slots = bulkhead(1, CALLS)
        const policy = wrap(
          retry(handleAll, { maxAttempts: MAX_ATTEMPTS, backoff: new ConstantBackoff(1) }),
          breaker,
          slots,
          timeout(TIMEOUT_MS, TimeoutStrategy.Aggressive),
        )
        const tries: number[] = []
        for (let call = 0; call < CALLS; call += 1) {
          const outcome = await settled(
            policy.execute(({ signal }) => {
              tries[call] = (tries[call] ?? 0) + 1
              return service.charge(undefined, signal)
            }),
          )
          if ('error' in outcome && outcome.error instanceof BrokenCircuitError) await pause(HALF_OPEN_AFTER_MS * 2)
        }
        await settle()
        assert.ok(
          tries.every((count) => count <= MAX_ATTEMPTS + 1),
          `tried ${tries.join(', ')} times`,
        )
        assert.equal(slots.executionSlots, 1, 'the bulkhead has lost a slot')
        if (breaker.state !== CircuitState.Closed) await pause(HALF_OPEN_AFTER_MS * 2)
        const last = await settled(policy.execute(() => Promise.resolve('well')))
        assert.deepEqual(last, { value: 'well' })
        assert.equal(breaker.state, CircuitState.Closed)
      },
    )
  },
}
