import { once } from 'node:events'
import { inject } from '@chaos/core'
import { hasPrograms, ownMosquitto, type OwnServer } from '@chaos/test-servers'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { uniqueName } from '../../../test/broker-bus.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { observeDelivery } from '../../oracle/observe-delivery.js'
import { bindMqtt } from './index.js'

const seam = 'publish'
const held = delayEvents({ delayMs: 60_000, seam })

describe.runIf(hasPrograms('mosquitto'))(
  'what an MQTT client writes under a fault (skipped without `mosquitto`: Debian package mosquitto)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownMosquitto()
    })
    afterAll(() => server.stop())

    async function connect(options: IClientOptions = {}): Promise<MqttClient> {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, { reconnectPeriod: 10, ...options })
      onTestFinished(() => client.endAsync(true))
      return client
    }

    /** A client that publishes, and what another one gets. */
    async function running(options: IClientOptions = {}) {
      const [client, reader] = [await connect(options), await connect()]
      const [name, got] = [uniqueName('/'), [] as string[]]
      reader.on('message', (topic, payload) => got.push(`${topic.slice(name.length)} ${String(payload)}`.trim()))
      await reader.subscribeAsync(`${name}/#`, { qos: 2 })
      return { client, name, got, bus: bindMqtt(client) }
    }

    it('calls back at once for QoS 0, which the system takes, and waits for the broker with QoS 1 and 2', async () => {
      const { client, name, got, bus } = await running()
      const injection = await inject(held, bus)
      const acknowledged: number[] = []
      for (const qos of [1, 2] as const)
        void client.publishAsync(name, `qos ${qos}`, { qos }).then(() => acknowledged.push(qos))
      await client.publishAsync(name, 'qos 0', { qos: 0 })
      expect([acknowledged, got, injection.account['held']]).toEqual([[], [], 3])
      await injection.rollback()
      await vi.waitFor(() => expect([...acknowledged].sort()).toEqual([1, 2]))
      await vi.waitFor(() => expect([...got].sort()).toEqual(['qos 0', 'qos 1', 'qos 2']))
    })

    it('loses what is held with its connection, and the client sends it again from its store', async () => {
      const { client, name, got, bus } = await running()
      const observer = await observeDelivery(bus, { subscribers: 'reader' })
      const injection = await inject(held, bus)
      const published = client.publishAsync(name, 'stored', { qos: 1 })
      void client.publishAsync(name, 'gone', { qos: 0 })
      expect(injection.affected).toBe(2)
      client.stream.destroy()
      await vi.waitFor(() => expect(injection.affected).toBe(3))
      await injection.rollback()
      await published
      await vi.waitFor(() => expect(got).toEqual(['stored']))
      expect(injection.account).toMatchObject({ sent: 3, delivered: 1, dropped: 2, held: 0 })
      // The application has sent it once.
      expect(observer.observation.sent).toBe(2)
      await observer.stop()
    })

    it('counts a lost message as acknowledged: nothing is sent again, and the client can end', async () => {
      const { client, name, got, bus } = await running()
      const injection = await inject(dropEvents({ seam }), bus)
      for (const qos of [0, 1, 2] as const) await client.publishAsync(name, 'lost', { qos })
      expect([Object.keys(client.outgoing), injection.account]).toMatchObject([[], { sent: 3, dropped: 3 }])
      await injection.rollback()
      client.stream.destroy()
      await once(client, 'connect')
      await client.publishAsync(name, 'bare', { qos: 1 })
      await vi.waitFor(() => expect(got).toEqual(['bare']))
      const last = await inject(dropEvents({ seam }), bus)
      client.publish(name, 'lost', { qos: 1 })
      await client.endAsync()
      expect(last.affected).toBe(1)
      await last.rollback()
    })

    it.each([1, 2] as const)('repeats a message of QoS %d as a publisher that sends it again', async (qos) => {
      const { client, name, got, bus } = await running()
      const injection = await inject(duplicateEvents({ seam }), bus)
      await client.publishAsync(name, 'twice', { qos })
      await vi.waitFor(() => expect(got).toEqual(['twice', 'twice']))
      await vi.waitFor(() => expect(client.outgoing).toEqual({}))
      await injection.rollback()
    })

    it('lets a client end that has messages held: at once by force, otherwise once they are acknowledged', async () => {
      for (const isForced of [true, false]) {
        const { client, name, got, bus } = await running()
        const injection = await inject(held, bus)
        client.publish(name, 'held', { qos: 1 })
        const ended = client.endAsync(isForced)
        if (isForced) await ended
        await injection.rollback()
        await ended
        expect(injection.account).toMatchObject(isForced ? { dropped: 1, held: 0 } : { delivered: 1, held: 0 })
        await vi.waitFor(() => expect(got).toEqual(isForced ? [] : ['held']))
      }
    })

    it('sends a topic of MQTT 5 in full where its alias may have changed, and lets its alias be set', async () => {
      const { client, name, got, bus } = await running({
        protocolVersion: 5,
        autoAssignTopicAlias: true,
      })
      // Mosquitto allows ten aliases; each topic beyond takes one of another.
      const topics = Array.from({ length: 11 }, (_, at) => `${name}/${at}`)
      await client.publishAsync(`${name}/0`, 'before', { qos: 1 })
      const injection = await inject(held, bus)
      void client.publishAsync(`${name}/0`, 'held', { qos: 0 })
      expect(injection.affected).toBe(1)
      for (const topic of topics.slice(1)) await client.publishAsync(topic, 'first', { qos: 1 })
      expect(injection.affected).toBe(1)
      await injection.rollback()
      await vi.waitFor(() => expect(got.at(-1)).toBe('/0 held'))
      expect(client.connected).toBe(true)
    })
  },
)
