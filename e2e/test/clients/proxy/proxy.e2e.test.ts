import { inject } from '@chaos/core'
import { createProxy, delayData, dropData, limitBandwidth, limitData, resetConnections, type Proxy } from '@chaos/proxy'
import { afterAll, beforeAll, describe, expect, it, vi, type TestContext } from 'vitest'
import { expectTable } from '../../../src/page-table.js'
import { connectors, PAYLOAD, type ClientName, type Connected } from './clients.js'
import { notices, reactions, WAITS, type FaultName, type Reaction } from './reactions.js'
import { servers, type Server } from './servers.js'

/** Time until clients give up, where it must pass, and where it must not, in ms. NATS has nothing else that ends a request. */
const [TIMEOUT_MS, PATIENT_MS] = [1_000, 30_000]
const DELAY_MS = 50

/** The faults that each client meets in the middle of an answer, or before it. */
const faults = {
  reset: { fault: resetConnections(), limit: 1, timeoutMs: PATIENT_MS },
  cut: { fault: limitData({ bytes: 100 }), limit: 1, timeoutMs: PATIENT_MS },
  freeze: { fault: limitBandwidth({ bytesPerSecond: 0 }), timeoutMs: TIMEOUT_MS },
  silence: { fault: dropData(), timeoutMs: TIMEOUT_MS },
} satisfies Readonly<Record<FaultName, unknown>>

describe.each(Object.keys(connectors) as ClientName[])('%s', (name) => {
  const { isThere, needs, start } = servers[name]

  describe.runIf(isThere)(`through a proxy (skipped without ${needs})`, () => {
    let server: Server
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.stop())

    /** Connects the client through a proxy of its own. Both are closed when the test ends, with nothing left open. */
    async function connected(
      timeoutMs: number,
      { onTestFinished }: TestContext,
    ): Promise<{ proxy: Proxy; client: Connected }> {
      const proxy = await createProxy({ upstream: `127.0.0.1:${server.port}` })
      const client = await connectors[name](proxy.port, timeoutMs)
      onTestFinished(async () => {
        await client.close()
        await proxy.close()
        expect(proxy.counters.open).toBe(0)
      })
      return { proxy, client }
    }

    it.concurrent('late: gets the right answers, none early', async (context) => {
      const { proxy, client } = await connected(PATIENT_MS, context)
      const injection = await inject(delayData({ delayMs: DELAY_MS }), proxy)
      for (let n = 0; n < 2; n += 1) {
        const start = performance.now()
        expect(await outcomeOf(client.request())).toBe('answers')
        expect(performance.now() - start).toBeGreaterThanOrEqual(DELAY_MS)
      }
      expect(injection.affected).toBe(1)
      await injection.rollback()
    })

    it.concurrent.for(Object.keys(faults) as FaultName[])('%s: reacts as its users know it', async (key, context) => {
      const { fault, timeoutMs, ...limit }: (typeof faults)[FaultName] = faults[key]
      const reaction: Reaction = reactions[name][key]
      const { proxy, client } = await connected(name === 'NATS' ? TIMEOUT_MS : timeoutMs, context)
      const emitted: string[] = []
      client.emitter?.on('error', (error: Error) => emitted.push(describeError(error)))

      const injection = await inject(fault, proxy, limit)
      const startedAt = performance.now()
      let tookMs = Number.POSITIVE_INFINITY
      const call = outcomeOf(client.request()).finally(() => (tookMs = performance.now() - startedAt))
      await vi.waitFor(() => expect(injection.account).not.toMatchObject({ bytesHeld: 0, bytesDropped: 0 }))
      if (reaction.emits !== undefined) await vi.waitFor(() => expect(emitted[0]).toBe(reaction.emits))
      if (reaction.during === WAITS) expect(await soFar(call)).toBe(WAITS)
      else expect(await call).toBe(reaction.during)
      // A timer counts whole milliseconds.
      if (timeoutMs === TIMEOUT_MS && notices[name].runsFromRequest)
        expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 1)

      await injection.rollback()
      if (reaction.after !== undefined) expect(await call).toBe(reaction.after)
      await vi.waitFor(async () => expect(await outcomeOf(client.request())).toBe(reaction.next ?? 'answers'))
      if (reaction.emits === undefined) expect(emitted).toEqual([])
    })
  })
})

describe('the page', () => {
  const names = Object.keys(connectors) as ClientName[]

  it.each(Object.keys(faults) as FaultName[])('shows what the clients do at a %s', (key) => {
    expectTable(PAGE, key, [
      ['client', 'the call', 'emits', 'next'],
      ...names.map((name) => {
        const { during, after, emits, next }: Reaction = reactions[name][key]
        const call = after === undefined ? cell(during) : `${cell(during)}, then ${cell(after)}`
        return [name, call, cell(emits ?? 'nothing'), cell(next ?? 'answers')]
      }),
    ])
  })

  it('shows by what they notice', () => {
    expectTable(PAGE, 'notices', [
      ['client', 'option', 'default'],
      ...names.map((name) => [name, notices[name].option ?? 'none', notices[name].default ?? 'never']),
    ])
  })
})

const PAGE = 'docs/clients-through-a-proxy.md'
const WORDS: readonly string[] = ['answers', 'nothing', WAITS]
/** A cell of a table: an error is code. */
const cell = (outcome: string): string => (WORDS.includes(outcome) ? outcome : `\`${outcome}\``)

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then((value) => (value === PAYLOAD ? 'answers' : `answers wrongly: ${String(value)}`), describeError)

function describeError(error: Error & { readonly code?: string }): string {
  return `${error.code ?? error.name}: ${error.message}`
}

/** The outcome of a call, if there is one yet. */
const soFar = (call: Promise<string>): Promise<string> =>
  Promise.race([call, new Promise<string>((resolve) => setImmediate(resolve, WAITS))])
