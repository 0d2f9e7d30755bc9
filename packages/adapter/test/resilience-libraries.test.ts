import { once } from 'node:events'
import net from 'node:net'
import { inject, type Fault } from '@chaos/core'
import { freePort } from '@chaos/test-servers'
import * as cockatiel from 'cockatiel'
import OpossumBreaker from 'opossum'
import pRetry, { AbortError } from 'p-retry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hangCalls, refuseCalls } from '../src/calls/index.js'

/** A client that asks a real server on loopback: it connects, sends a line and waits for one. */
class Client {
  readonly port: number

  constructor(port: number) {
    this.port = port
  }

  async ask({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    const socket = net.connect({ port: this.port, host: '127.0.0.1' })
    try {
      // Who asks with a signal hears its reason.
      const abort = (): void => void socket.destroy(signal?.reason as Error)
      if (signal?.aborted === true) abort()
      signal?.addEventListener('abort', abort, { once: true })
      await once(socket, 'connect')
      socket.write('ask\n')
      const [line] = (await once(socket, 'data')) as [Buffer]
      return line.toString()
    } finally {
      socket.destroy()
    }
  }
}

/** A server that answers, or only listens. */
async function serve(port: number, answers: boolean): Promise<net.Server> {
  const sockets = new Set<net.Socket>()
  const server = net
    .createServer((socket) => {
      sockets.add(socket.on('error', () => undefined))
      if (answers) socket.on('data', () => socket.end('answer'))
    })
    .listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return server
}

type Outage = 'real' | 'injected'

/** A client whose service is down: nothing listens on its port, or a fault says so. */
async function refused(outage: Outage): Promise<Client> {
  const port = await freePort()
  const client = new Client(port)
  if (outage === 'injected') {
    await serve(port, true)
    await breakWhileTesting(refuseCalls({ error: 'ECONNREFUSED', port }), client)
  }
  return client
}

/** A client whose service does not answer: it is frozen, or a fault says so. */
async function silent(outage: Outage): Promise<Client> {
  const port = await freePort()
  const client = new Client(port)
  await serve(port, outage === 'injected')
  if (outage === 'injected') await breakWhileTesting(hangCalls(), client)
  return client
}

async function breakWhileTesting(fault: Fault<object>, client: Client): Promise<void> {
  const injection = await inject(fault, client)
  onTestFinished(() => injection.rollback().then(() => undefined))
}

/** What a library made of an error, without the port, which differs. */
const said = (error: unknown): string => {
  const { name, message, code } = error as Error & { code?: unknown }
  return `${name} ${String(code)} ${message}`.replace(/:\d+/, ':port')
}

const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'answered', said)

/** The same scene with a real outage and with an injected one must be told in the same words. */
async function bothTell(scene: (outage: Outage) => Promise<readonly string[]>): Promise<readonly string[]> {
  const [real, injected] = [await scene('real'), await scene('injected')]
  expect(injected).toEqual(real)
  return injected
}

describe('cockatiel', () => {
  it('retries, opens its breaker and cancels as with a real outage', async () => {
    const story = await bothTell(async (outage) => {
      const told: string[] = []
      const [down, frozen] = [await refused(outage), await silent(outage)]
      const retry = cockatiel.retry(
        cockatiel.handleWhen((error) => 'code' in error && error.code === 'ECONNREFUSED'),
        { maxAttempts: 2, backoff: new cockatiel.ConstantBackoff(1) },
      )
      const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 60_000,
        breaker: new cockatiel.ConsecutiveBreaker(5),
      })
      retry.onRetry((reason) => told.push(`retry: ${'error' in reason ? said(reason.error) : 'value'}`))
      breaker.onBreak(() => told.push('break'))
      const policy = cockatiel.wrap(retry, breaker)
      for (let n = 0; n < 3; n += 1) told.push(await failure(policy.execute(() => down.ask())))
      const timeout = cockatiel.timeout(20, cockatiel.TimeoutStrategy.Cooperative)
      told.push(await failure(timeout.execute(({ signal }) => frozen.ask({ signal }))))
      return told
    })
    expect(
      story.filter((line) => line.startsWith('retry: Error ECONNREFUSED connect ECONNREFUSED 127.0.0.1:port')).length,
    ).toBeGreaterThan(2)
    expect(story).toContain('break')
    expect(story.at(-1)).toBe('AbortError 20 This operation was aborted')
  })
})

describe('opossum', () => {
  it('fails, times out, opens, rejects and falls back as with a real outage', async () => {
    const story = await bothTell(async (outage) => {
      const told: string[] = []
      for (const [client, timeout] of [
        [await refused(outage), false],
        [await silent(outage), 20],
      ] as const) {
        const breaker = new OpossumBreaker(() => client.ask(), {
          timeout,
          errorThresholdPercentage: 50,
          volumeThreshold: 2,
          resetTimeout: 60_000,
        })
        onTestFinished(() => breaker.shutdown())
        breaker.fallback(() => 'fallback')
        breaker.on('failure', (error) => told.push(`failure: ${said(error)}`))
        for (const event of ['timeout', 'open', 'reject', 'fallback'] as const)
          breaker.on(event as 'open', () => told.push(event))
        for (let n = 0; n < 3; n += 1) told.push(await breaker.fire())
      }
      return told
    })
    expect(story[0]).toBe('failure: Error ECONNREFUSED connect ECONNREFUSED 127.0.0.1:port')
    expect(story).toEqual(expect.arrayContaining(['timeout', 'open', 'reject', 'fallback']))
  })
})

describe('p-retry', () => {
  it('tries again as with a real outage, and succeeds when that is over', async () => {
    const story = await bothTell(async (outage) => {
      const told: string[] = []
      const port = await freePort()
      const client = new Client(port)
      if (outage === 'injected') {
        await serve(port, true)
        const injection = await inject(refuseCalls({ error: 'ECONNREFUSED', port }), client, { limit: 2 })
        onTestFinished(() => injection.rollback().then(() => undefined))
      }
      const answer = await pRetry(() => client.ask(), {
        retries: 4,
        minTimeout: 1,
        async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
          told.push(`${attemptNumber} ${retriesLeft} ${said(error)}`)
          if (outage === 'real' && attemptNumber === 2) await serve(port, true)
        },
      })
      return [...told, answer]
    })
    expect(story).toHaveLength(3)
    expect(story.at(-1)).toBe('answer')
  })

  it('gives up at once where its caller says that the error is final, or aborts', async () => {
    await bothTell(async (outage) => {
      const [down, frozen] = [await refused(outage), await silent(outage)]
      let asked = 0
      const final = await failure(
        pRetry(
          () =>
            down.ask().catch((error: unknown) => {
              asked += 1
              throw new AbortError(error as Error)
            }),
          { retries: 3, minTimeout: 1 },
        ),
      )
      const { signal } = new AbortController()
      const aborted = await failure(
        pRetry(() => frozen.ask({ signal: AbortSignal.any([signal, AbortSignal.timeout(20)]) }), { retries: 0 }),
      )
      return [final, String(asked), aborted]
    })
  })
})
