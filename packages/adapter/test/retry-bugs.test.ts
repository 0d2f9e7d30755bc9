import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { inject, withFault, type Clock, type Fault } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { freePort } from '@chaos/test-servers'
import * as cockatiel from 'cockatiel'
import { Redis } from 'ioredis'
import OpossumBreaker from 'opossum'
import pRetry from 'p-retry'
import { Agent, RetryAgent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { failAfterCall, hangCalls, refuseCalls } from '../src/calls/index.js'
import { answerRequests } from '../src/http/index.js'
import { observeCalls, type CallObservation, type ObserveCallsOptions, type RetryCheck } from '../src/observe/index.js'
import { serve } from './http.js'

/** A service, and what it has done. */
class Bank {
  readonly charged: string[] = []
  async charge({ amount }: { readonly amount: number; readonly idempotencyKey?: string }): Promise<string> {
    this.charged.push(String(amount))
    return Promise.resolve(`charged ${amount}`)
  }
  async balance(_of: string, _options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return Promise.resolve(7)
  }
}

/** Clients get a time that passes as fast as they wait. What they ask a server is answered in real time. */
function fakeTime(): Clock {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => void vi.useRealTimers())
  return { ...systemClock, now: () => Date.now() }
}

/** Lets time pass until something is so, from one timer to the next. */
async function passUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (vi.getTimerCount() > 0) await vi.advanceTimersToNextTimerAsync()
    await turn()
  }
}

/** Lets time pass until work has settled, and returns how. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  let settled: { readonly as: unknown } | undefined
  void work.then(
    (value) => (settled = { as: value }),
    (error: unknown) => (settled = { as: error }),
  )
  await passUntil(() => settled !== undefined)
  return settled?.as
}

async function observed(target: object, options: ObserveCallsOptions = {}): Promise<CallObservation> {
  const calls = await observeCalls(target, options)
  onTestFinished(() => calls.stop())
  return calls
}

async function broken<Target extends object>(fault: Fault<Target>, target: Target): Promise<void> {
  const injection = await inject(fault, target)
  onTestFinished(async () => {
    await injection.rollback()
  })
}

const found = (calls: CallObservation): readonly RetryCheck[] => calls.violations().map(({ check }) => check)
const message = (calls: CallObservation, check: RetryCheck): string | undefined => calls.violation(check)?.message

/**
 * An agent of undici without timeouts of its own. All timeouts of undici run on one timer of the process, which would
 * stand still for the files after this one if it were made in a test's time.
 */
function patientAgent(): Agent {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } })
  onTestFinished(() => agent.close())
  return agent
}

/** A patient agent whose requests fail with a status. */
async function agentThatFails(answer: 'http/500' | 'http/504' | 'http/429'): Promise<Agent> {
  const agent = patientAgent()
  await broken(answerRequests({ answer }), agent)
  return agent
}

const post = { origin: 'http://bank.test', path: '/charges', method: 'POST', body: '{}' } as const
const get = { origin: 'http://bank.test', path: '/balance', method: 'GET' } as const

describe('no cap', () => {
  it('of p-retry that is told to retry forever', async () => {
    const clock = fakeTime()
    const bank = new Bank()
    const calls = await observed(bank, { clock })
    await broken(refuseCalls(), bank)
    const stop = new AbortController()
    const asked = pRetry(() => bank.balance('a'), { retries: Infinity, maxTimeout: 1_000, signal: stop.signal })
    asked.catch(() => undefined)
    await passUntil(() => calls.account.mostAttempts > 20)
    stop.abort()
    await outcome(asked)
    expect(message(calls, 'no-cap')).toMatch(
      /^no-cap: `balance` was tried 21 times, more than `maxAttempts` \(10\)\. Give up after a few attempts, and say so\.$/,
    )
    expect(calls.retries()[0]).toMatchObject({ growth: 'constant' })
  })

  it('of the connections of ioredis, whose waits grow by 50 ms, without jitter', async () => {
    const clock = fakeTime()
    const port = await freePort()
    const calls = await observed(net, { methods: 'createConnection', answers: 'stream', clock })
    const redis = new Redis(port, { lazyConnect: true }).on('error', () => undefined)
    onTestFinished(async () => {
      redis.disconnect()
      await vi.runOnlyPendingTimersAsync()
    })
    void redis.connect().catch(() => undefined)
    await passUntil(() => calls.account.mostAttempts > 12)
    expect(found(calls)).toEqual(['no-cap'])
    expect(calls.retries()[0]).toMatchObject({
      growth: 'linear',
      gapsMs: expect.arrayContaining([50, 100, 150, 200]) as number[],
    })
    expect(calls.calls[0]?.attempts[0]?.error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

it('no delay: the retries of cockatiel without a backoff', async () => {
  const clock = fakeTime()
  const bank = new Bank()
  const calls = await observed(bank, { clock })
  await broken(refuseCalls({ error: 'ECONNREFUSED', port: 80 }), bank)
  const retry = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 })
  await outcome(retry.execute(() => bank.balance('a')))
  expect(found(calls)).toEqual(['no-delay'])
  expect(message(calls, 'no-delay')).toBe(
    'no-delay: `balance` was tried again without a wait: at 0 ms ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:80; at 0 ms ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:80; at 0 ms ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:80. A service that is down gets every retry at once. Wait at least 10 ms (`minDelayMs`), and longer after each attempt.',
  )
})

it('no growth: the constant backoff of cockatiel', async () => {
  const clock = fakeTime()
  const bank = new Bank()
  const calls = await observed(bank, { clock })
  await broken(refuseCalls(), bank)
  const retry = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ConstantBackoff(100) })
  await outcome(retry.execute(() => bank.balance('a')))
  expect(found(calls)).toEqual(['no-growth'])
  expect(calls.retries()).toMatchObject([{ tries: 4, gapsMs: [100, 100, 100], growth: 'constant' }])
})

describe('no jitter', () => {
  const ask = async (randomize: boolean): Promise<CallObservation> => {
    const clock = fakeTime()
    const bank = new Bank()
    const calls = await observed(bank, { clock })
    await broken(refuseCalls(), bank)
    const options = { retries: 3, minTimeout: 100, randomize }
    await outcome(Promise.allSettled(['a', 'b', 'c'].map((of) => pRetry(() => bank.balance(of), options))))
    return calls
  }

  it('of p-retry by default', async () => {
    const calls = await ask(false)
    expect(found(calls)).toEqual(['no-jitter'])
    expect(calls.account.jitter).toBe(0)
    expect(calls.retries()[0]).toMatchObject({ gapsMs: [100, 200, 400], growth: 'exponential' })
  })

  it('is repaired by its option', async () => {
    let n = 0
    vi.spyOn(Math, 'random').mockImplementation(() => (n += 0.618) % 1)
    const calls = await ask(true)
    expect(found(calls)).toEqual([])
    expect(calls.account.jitter).toBeGreaterThan(0.05)
  })
})

describe('a retry of what must not be retried', () => {
  it('is what p-retry does with every response that is not ok, if it is told so', async () => {
    const clock = fakeTime()
    const before = getGlobalDispatcher()
    onTestFinished(() => setGlobalDispatcher(before))
    setGlobalDispatcher(patientAgent())
    const calls = await observed(globalThis, { clock, only: 'GET http://bank.test*' })
    await broken(answerRequests({ answer: 'http/401' }), globalThis)
    const ask = async (): Promise<string> => {
      const response = await fetch('http://bank.test/balance')
      if (!response.ok) throw new Error(`The bank said ${response.status}`)
      return response.text()
    }
    await outcome(pRetry(ask, { retries: 2, minTimeout: 100 }))
    expect(found(calls)).toEqual(['retried-final-error'])
    expect(message(calls, 'retried-final-error')).toContain('was tried again after status 401, which no retry changes')
  })

  it('is a RetryAgent of undici that may repeat a POST, which has no idempotency key', async () => {
    const clock = fakeTime()
    const agent = await agentThatFails('http/504')
    const calls = await observed(agent, { clock })
    const careless = new RetryAgent(agent, { methods: ['POST'], maxRetries: 1 })
    await outcome(careless.request(post))
    expect(found(calls)).toEqual(['unsafe-retry'])
    expect(message(calls, 'unsafe-retry')).toMatch(
      /^unsafe-retry: `POST http:\/\/bank.test\/charges` was tried again after status 504/,
    )
  })

  it('is not what it does by default, nor with a key', async () => {
    const clock = fakeTime()
    const agent = await agentThatFails('http/504')
    const calls = await observed(agent, { clock })
    await outcome(new RetryAgent(agent).request(post))
    expect(calls.account).toMatchObject({ calls: 1, attempts: 1 })
    const careful = new RetryAgent(agent, { methods: ['POST'], maxRetries: 1 })
    await outcome(careful.request({ ...post, path: '/keyed', headers: { 'idempotency-key': 'order 7' } }))
    expect(calls.retries()).toMatchObject([{ tries: 2, idempotencyKey: 'same' }])
    expect(found(calls)).toEqual([])
  })

  it('is no retry of what has not reached the service', async () => {
    const clock = fakeTime()
    const bank = new Bank()
    const calls = await observed(bank, { clock, unsafe: 'charge' })
    await withFault(refuseCalls({ error: 'ECONNREFUSED', port: 80 }), bank, { limit: 1 }, async () => {
      await outcome(pRetry(() => bank.charge({ amount: 5 }), { minTimeout: 100 }))
    })
    expect([bank.charged, found(calls)]).toEqual([['5'], []])
    await withFault(failAfterCall(), bank, { limit: 1 }, async () => {
      await outcome(pRetry(() => bank.charge({ amount: 6 }), { minTimeout: 100 }))
    })
    expect([bank.charged, found(calls)]).toEqual([['5', '6', '6'], ['unsafe-retry']])
  })
})

describe('an idempotency key', () => {
  const charge = async (keyOf: () => string): Promise<CallObservation> => {
    const clock = fakeTime()
    const bank = new Bank()
    const calls = await observed(bank, { clock, unsafe: 'charge' })
    await withFault(failAfterCall(), bank, { limit: 2 }, async () => {
      await outcome(pRetry(() => bank.charge({ amount: 5, idempotencyKey: keyOf() }), { minTimeout: 100 }))
    })
    return calls
  }

  it('that is made within p-retry is new for each attempt', async () => {
    const calls = await charge(randomUUID)
    expect(found(calls)).toEqual(['new-idempotency-key'])
    expect(calls.retries()).toMatchObject([{ tries: 3, idempotencyKey: 'new' }])
  })

  it('that is made before is the same', async () => {
    const key = randomUUID()
    expect(found(await charge(() => key))).toEqual([])
  })
})

describe('a retry after its caller has given up', () => {
  /** The caller gives up while the client waits before its second attempt. */
  const giveUp = async (ask: (bank: Bank, signal: AbortSignal) => Promise<unknown>): Promise<CallObservation> => {
    const clock = fakeTime()
    const bank = new Bank()
    const calls = await observed(bank, { clock })
    await broken(refuseCalls(), bank)
    const caller = new AbortController()
    const asked = ask(bank, caller.signal)
    asked.catch(() => undefined)
    await passUntil(() => calls.account.failed === 1)
    caller.abort()
    await outcome(asked)
    return calls
  }

  it('is one that cockatiel makes, since it looks at the signal before its wait only', async () => {
    const retry = cockatiel.retry(cockatiel.handleAll, {
      maxAttempts: 3,
      backoff: new cockatiel.ExponentialBackoff({ initialDelay: 1_000, generator: cockatiel.noJitterGenerator }),
    })
    const calls = await giveUp((bank, signal) =>
      retry.execute((context) => bank.balance('a', { signal: context.signal }), signal),
    )
    expect(found(calls)).toEqual(['retry-after-cancel'])
    expect(calls.retries()).toMatchObject([{ tries: 2, isCancelled: true, triesTooLate: 1 }])
  })

  it('is none that p-retry makes', async () => {
    const calls = await giveUp((bank, signal) => pRetry(() => bank.balance('a', { signal }), { signal }))
    expect(calls.account).toMatchObject({ attempts: 1 })
  })

  it('is one of a client that lets go of an attempt by a timer, and has its answer by then', async () => {
    const clock = fakeTime()
    const bank = new Bank()
    const shop = {
      /** Does not stop its retries when it stops waiting for them. */
      balance: async () => {
        const asked = pRetry(() => bank.balance('a'), { retries: 2, minTimeout: 1_000 })
        asked.catch(() => undefined)
        return Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 500, 'unknown'))])
      },
    }
    const calls = await observed(bank, { clock, above: shop })
    await broken(refuseCalls(), bank)
    expect(await outcome(shop.balance())).toBe('unknown')
    await passUntil(() => calls.account.attempts === 3)
    expect(found(calls)).toEqual(['retry-after-cancel', 'swallowed-error'])
  })
})

describe('what the caller is told', () => {
  const tell = async (
    balance: (bank: Bank) => Promise<unknown>,
    fault: Fault<object> = refuseCalls({ error: 'ECONNREFUSED', port: 80 }),
  ): Promise<CallObservation> => {
    const clock = fakeTime()
    const bank = new Bank()
    const shop = { balance: async () => balance(bank) }
    const calls = await observed(bank, { clock, above: shop })
    await broken(fault, bank)
    await outcome(shop.balance())
    return calls
  }

  it('is success by the fallback of opossum: the error is swallowed', async () => {
    const calls = await tell(async (bank) => {
      const breaker = new OpossumBreaker(() => bank.balance('a'), { timeout: false })
      onTestFinished(() => breaker.shutdown())
      return breaker.fallback(() => 0).fire()
    })
    expect(found(calls)).toEqual(['swallowed-error'])
  })

  it('is another error by the timeout of cockatiel: the error is replaced', async () => {
    const policy = cockatiel.wrap(
      cockatiel.timeout(1_000, cockatiel.TimeoutStrategy.Aggressive),
      cockatiel.retry(cockatiel.handleAll, {
        maxAttempts: 2,
        backoff: new cockatiel.ExponentialBackoff({ initialDelay: 600, generator: cockatiel.noJitterGenerator }),
      }),
    )
    const calls = await tell((bank) => policy.execute(() => bank.balance('a')))
    expect(message(calls, 'replaced-error')).toMatch(
      /^replaced-error: `balance` failed \(ECONNREFUSED: .*\), and its caller was told something else: .*timed out/,
    )
    // The policy waits on, though its caller has been told.
    await vi.runOnlyPendingTimersAsync()
  })

  it('is another error by a home-made client, unless it keeps the cause', async () => {
    const rethrow = (keepsCause: boolean) => async (bank: Bank) => {
      try {
        return await bank.balance('a')
      } catch (cause) {
        throw keepsCause ? new Error('The bank is closed', { cause }) : new Error('The bank is closed')
      }
    }
    expect(found(await tell(rethrow(false)))).toEqual(['replaced-error'])
    expect(found(await tell(rethrow(true)))).toEqual([])
  })
})

describe('a retry storm', () => {
  it('is what p-retry over a RetryAgent of undici makes of one call', async () => {
    const clock = fakeTime()
    const agent = await agentThatFails('http/500')
    const retrying = new RetryAgent(agent, { maxRetries: 2, minTimeout: 100 })
    const shop = { balance: async () => pRetry(() => retrying.request(get), { retries: 2, minTimeout: 100 }) }
    const calls = await observed(agent, { clock, above: shop })
    await outcome(shop.balance())
    expect(found(calls)).toEqual(['retry-storm'])
    expect(calls.account).toMatchObject({ calls: 1, attempts: 9, amplification: 9 })
    expect(message(calls, 'retry-storm')).toMatch(/^retry-storm: 1 call above became 9 attempts below/)
    expect(calls.probe('amplification')()).toBe(9)
    expect(calls.probe('retry-storm')()).toBe(1)
  })

  it('is none if only one of the layers retries', async () => {
    const clock = fakeTime()
    const agent = await agentThatFails('http/500')
    const shop = { balance: async () => new RetryAgent(agent, { maxRetries: 2, minTimeout: 100 }).request(get) }
    const calls = await observed(agent, { clock, above: shop })
    await outcome(shop.balance())
    expect([found(calls), calls.account.amplification]).toEqual([[], 3])
  })

  it('is not seen where the retries of a call go on over the connection of an earlier caller', async () => {
    const server = await serve((_request, response) => void response.writeHead(500).end())
    const clock = fakeTime()
    const agent = patientAgent()
    const retrying = new RetryAgent(agent, { maxRetries: 2, minTimeout: 100 })
    const shop = { balance: async () => retrying.request({ ...get, origin: server.origin }) }
    const calls = await observed(agent, { clock, above: shop })
    for (let n = 0; n < 3; n += 1) await outcome(shop.balance())
    expect(calls.calls.map(({ tries }) => tries)).toEqual([3, 3, 3])
    expect(new Set(calls.calls.map(({ caller }) => caller)).size).toBe(3)
    expect([found(calls), calls.account.amplification]).toEqual([['no-jitter'], 3])
  })
})

it('no answer: tries that overlap belong to one call if one caller makes them', async () => {
  const clock = fakeTime()
  const bank = new Bank()
  const shop = {
    balance: async () => {
      const policy = cockatiel.wrap(
        cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 }),
        cockatiel.timeout(100, cockatiel.TimeoutStrategy.Aggressive),
      )
      return policy.execute(() => bank.balance('a'))
    },
  }
  const calls = await observed(bank, { clock, above: shop })
  await broken(hangCalls(), bank)
  await outcome(shop.balance())
  expect(calls.account).toMatchObject({ calls: 1, attempts: 3, pending: 3 })
  expect(calls.retries()).toMatchObject([{ gapsMs: [undefined, undefined], growth: 'unknown' }])
})
