import { inject } from '@chaos/core'
import { hasPrograms, ownNats, type OwnServer } from '@chaos/test-servers'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { oracle } from '../../../test/oracle.js'
import { reconnection } from '../../../test/reconnection.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindNats } from './index.js'

describe.runIf(hasPrograms('nats-server'))(
  'a connection to NATS (skipped without `nats-server`: Debian package nats-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownNats()
    })
    afterAll(() => server.stop())

    const open = (): Promise<NatsConnection> => connect({ port: server.port })
    async function connection(): Promise<NatsConnection> {
      const opened = await open()
      onTestFinished(() => opened.close())
      return opened
    }

    const protocolOf = (connection: NatsConnection): object => Reflect.get(connection, 'protocol') as object

    for (const how of ['callback', 'iterator'] as const) {
      faultTable(`NATS, ${how}`, async () => {
        const nats = await open()
        const name = uniqueName('.')
        const got: (Content | undefined)[] = []
        if (how === 'callback')
          nats.subscribe(name, { callback: (_error, message) => void got.push(contentOf(Buffer.from(message.data))) })
        else void consume(nats.subscribe(name), (message) => got.push(contentOf(message)))
        await nats.flush()
        return {
          target: bindNats(nats),
          name,
          publish: (content) => nats.publish(name, JSON.stringify(content)),
          got,
          touched: [nats, protocolOf(nats), Object.getPrototypeOf(protocolOf(nats)) as object],
          dispose: () => nats.close(),
        }
      })
    }

    async function consume(
      subscription: AsyncIterable<{ readonly data: Uint8Array }>,
      each: (message: Buffer) => void,
    ): Promise<void> {
      for await (const { data } of subscription) each(Buffer.from(data))
    }

    it('keeps headers and the reply subject of a message that it holds, damages or sends later', async () => {
      const nats = await connection()
      const name = uniqueName('.')
      nats.subscribe(name, {
        callback: (_error, message) => {
          const answer = headers()
          answer.set('trace', message.headers?.get('trace') ?? 'none')
          message.respond(message.string(), { headers: answer })
        },
      })
      const trace = headers()
      trace.set('trace', 'abc')
      const late = await inject(delayEvents({ delayMs: 10, seam: 'publish' }), bindNats(nats), { only: name })
      const damaged = await inject(corruptEvents({ damage: 'truncate', length: 3 }), bindNats(nats), { only: name })
      const reply = await nats.request(name, 'request', { headers: trace, timeout: 30_000 })
      expect([reply.string(), reply.headers?.get('trace')]).toEqual(['req', 'abc'])
      expect([late.affected, damaged.affected]).toEqual([1, 1])
      await damaged.rollback()
      await late.rollback()
      expect((await nats.request(name, 'request', { headers: trace, timeout: 30_000 })).string()).toBe('request')
    })

    it('breaks one queue group, spares the others, and ends iterators as they end in health', async () => {
      const nats = await connection()
      const name = uniqueName('.')
      const got: string[] = []
      const subscriptions = [
        nats.subscribe(name, { queue: 'billing' }),
        nats.subscribe(`${name.slice(0, name.lastIndexOf('.'))}.>`),
        nats.subscribe(name),
      ]
      const ends = subscriptions.map((subscription, index) =>
        consume(subscription, (message) => got.push(`${index} ${String(message)}`)),
      )
      const injection = await inject(dropEvents({ subscriber: 'billing' }), bindNats(nats), { only: name })
      nats.publish(name, 'one')
      await nats.flush()
      await vi.waitFor(() => expect([...got].sort()).toEqual(['1 one', '2 one']))
      await injection.rollback()
      expect(injection.account).toMatchObject({ sent: 1, dropped: 1 })
      nats.publish(name, 'two')
      await nats.flush()
      await Promise.all(subscriptions.map((subscription) => subscription.drain()))
      await Promise.all(ends)
      expect([...got].sort()).toEqual(['0 two', '1 one', '1 two', '2 one', '2 two'])
    })

    it('takes connections of NATS.js only', () => {
      expect(() =>
        bindNats({ publish: () => undefined, subscribe: () => undefined, reconnect: () => Promise.resolve() }),
      ).toThrow(/not a connection of NATS.js 3/)
    })

    reconnection(async () => {
      const nats = await connect({
        port: server.port,
        reconnectTimeWait: 10,
        reconnectJitter: 0,
        maxReconnectAttempts: -1,
      })
      onTestFinished(() => nats.close())
      const [name, got] = [uniqueName('.'), [] as string[]]
      void consume(nats.subscribe(name), (message) => got.push(String(message)))
      let isUp = true
      void (async () => {
        for await (const { type } of nats.status())
          if (type === 'disconnect' || type === 'reconnect') isUp = type === 'reconnect'
      })()
      return {
        target: bindNats(nats),
        publish: (text) => nats.publish(name, text),
        got,
        isUp: () => isUp,
        replaced: () => [(protocolOf(nats) as { prepare: unknown }).prepare],
      }
    })

    oracle(async () => {
      const nats = await connection()
      const name = uniqueName('.')
      for (const queue of ['billing', 'mail']) void consume(nats.subscribe(name, { queue }), () => undefined)
      return { target: bindNats(nats), name, publish: (text) => nats.publish(name, text) }
    })
  },
)
