import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { httpScopes } from '@chaos/adapter/http'
import { inject, mintScope } from '@chaos/core'
import { carryScopes, eventScopes } from '@chaos/eventbus'
import { bindNats } from '@chaos/eventbus/nats'
import { hasPrograms, ownNats } from '@chaos/test-servers'
import { connect } from '@nats-io/transport-node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { markReads, store } from './store.mjs'

/** The scoped requests of both scopes together, and the others. A soak has as many as the promise names. */
const [SCOPED, OTHERS] = process.env['CHAOS_SOAK'] === undefined ? [50, 500] : [500, 5_000]
const LEASE_MS = 300_000
const TIMEOUT_MS = 240_000
/** How many connections the requests outside of scopes share. */
const CONNECTIONS = 100

/** Does something later, on behalf of whoever asked for it, and answers by a call with the id. */
function answers<Id>() {
  const waiting = new Map<Id, (answer: string) => void>()
  return {
    expect: (id: Id) => new Promise<string>((resolve) => waiting.set(id, resolve)),
    give(id: Id, answer: string) {
      waiting.get(id)?.(answer)
      waiting.delete(id)
    },
  }
}

/** A thread that reads a store of its own for each message, under the same faults. */
async function thread(faults: readonly { readonly mark: string; readonly scope: string }[]) {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { faults, leaseMs: LEASE_MS } })
  onTestFinished(async () => {
    await worker.terminate()
  })
  await once(worker, 'online')
  const carried = await carryScopes(worker)
  onTestFinished(() => carried.stop())
  const [said] = await Promise.all([once(worker, 'message'), carried.paired])
  expect(said).toEqual(['ready'])
  const asked = answers<number>()
  worker.on('message', ([id, answer]: [number, string]) => asked.give(id, answer))
  return (id: number): Promise<string> => {
    const answer = asked.expect(id)
    worker.postMessage(id)
    return answer
  }
}

/** A queue of a broker, whose messages carry headers. Its consumer reads the store. */
async function queue(read: () => Promise<string>) {
  const server = await ownNats()
  onTestFinished(() => server.stop())
  const connection = await connect({ port: server.port })
  onTestFinished(() => connection.close())
  const scopes = await eventScopes(bindNats(connection))
  onTestFinished(() => scopes.stop())
  const asked = answers<string>()
  connection.subscribe('jobs', {
    callback: (_error, message) => {
      const id = message.string()
      void read().then((answer) => asked.give(id, answer))
    },
  })
  await connection.flush()
  return (id: number): Promise<string> => {
    const answer = asked.expect(String(id))
    connection.publish('jobs', String(id))
    return answer
  }
}

/** An event bus whose listener reads the store. */
function bus(read: () => Promise<string>) {
  const asked = answers<number>()
  const emitter = new EventEmitter().on('asked', (id: number) => {
    void read().then((answer) => asked.give(id, answer))
  })
  return (id: number): Promise<string> => {
    const answer = asked.expect(id)
    emitter.emit('asked', id)
    return answer
  }
}

async function get(url: string, agent: http.Agent, baggage: string | undefined): Promise<unknown> {
  const request = http.get(url, { agent, headers: baggage === undefined ? {} : { baggage } })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return JSON.parse(await text(response)) as unknown
}

describe.each([
  ['promises, timers, an event bus and a thread', false, true],
  ['a queue that carries headers', true, hasPrograms('nats-server')],
])('requests that are chosen one by one, through %s', (_name, withQueue, runs) => {
  it.skipIf(!runs)(
    `are exactly the ones that are hit: ${SCOPED} of two scopes at once, among ${OTHERS} others`,
    async () => {
      const opened = await httpScopes()
      onTestFinished(() => opened.stop())
      const own = store()
      const faults = ['first', 'second'].map((mark) => ({ mark, ...mintScope({ name: mark }) }))
      const injections = await Promise.all(
        faults.map(({ mark, id }) => inject(markReads({ mark }), own, { scope: id, leaseMs: LEASE_MS })),
      )
      onTestFinished(async () => {
        for (const injection of injections) await injection.rollback()
      })
      const read = (): Promise<string> => own.read()
      const ways = withQueue
        ? [await queue(read)]
        : [
            read,
            async () => {
              await wait(1)
              return read()
            },
            bus(read),
            await thread(faults.map(({ mark, id }) => ({ mark, scope: id }))),
          ]

      // Each scoped request waits for all others of its kind, so that they are under way at once.
      let arrived = 0
      let open = (): void => undefined
      const all = new Promise<void>((resolve) => (open = resolve))
      const server = http.createServer((request, response) => {
        const [, kind, id] = (request.url ?? '').split('/')
        const answer = async (): Promise<void> => {
          if (kind === 'scoped') {
            arrived += 1
            if (arrived === SCOPED) open()
            await all
          }
          response.end(JSON.stringify(await Promise.all(ways.map((way) => way(Number(id))))))
        }
        void answer()
      })
      server.listen(0, '127.0.0.1', 2_000)
      await once(server, 'listening')
      const agents = [new http.Agent({ keepAlive: true }), new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })]
      onTestFinished(() => {
        for (const agent of agents) agent.destroy()
        server.closeAllConnections()
        server.close()
      })
      const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
      const [scopedAgent = http.globalAgent, otherAgent = http.globalAgent] = agents

      const every = Math.round(OTHERS / SCOPED) + 1
      const asked = await Promise.all(
        Array.from({ length: SCOPED + OTHERS }, async (_one, id) => {
          const fault = id % every === 0 ? faults[(id / every) % faults.length] : undefined
          const kind = fault === undefined ? 'other' : 'scoped'
          const got = await get(`${url}/${kind}/${id}`, fault === undefined ? otherAgent : scopedAgent, fault?.header)
          return { got, expected: ways.map(() => fault?.mark ?? 'whole') }
        }),
      )
      expect(asked.filter(({ expected }) => expected[0] !== 'whole')).toHaveLength(SCOPED)
      expect(asked.map(({ got }) => got)).toEqual(asked.map(({ expected }) => expected))
      // What the thread has hit is counted there.
      const readsHere = withQueue ? 1 : ways.length - 1
      expect(injections.map(({ seen, affected }) => [seen, affected])).toEqual(
        Array(2).fill([(SCOPED / 2) * readsHere, (SCOPED / 2) * readsHere]),
      )
    },
    TIMEOUT_MS,
  )
})
