import { inject } from '@chaos/core'
import { hasPrograms, ownMosquitto, type OwnServer } from '@chaos/test-servers'
import mqtt, { type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { contentOf, uniqueName } from '../../../test/broker-bus.js'
import { faultTable, type Content } from '../../../test/fault-table.js'
import { listeners, oracle } from '../../../test/oracle.js'
import { reconnection } from '../../../test/reconnection.js'
import { corruptEvents } from '../../faults/corrupt-events.js'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { duplicateEvents } from '../../faults/duplicate-events.js'
import { bindMqtt } from './index.js'

describe.runIf(hasPrograms('mosquitto'))(
  'an MQTT client (skipped without `mosquitto`: Debian package mosquitto)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownMosquitto()
    })
    afterAll(() => server.stop())

    const connect = (): Promise<MqttClient> => mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`)
    async function client(): Promise<MqttClient> {
      const connected = await connect()
      onTestFinished(() => connected.endAsync(true))
      return connected
    }

    for (const qos of [0, 1, 2] as const) {
      faultTable(`MQTT, QoS ${qos}`, async () => {
        const connected = await connect()
        const name = uniqueName('/')
        const got: (Content | undefined)[] = []
        connected.on('error', () => undefined)
        connected.on('message', (_topic, payload) => got.push(contentOf(payload)))
        await connected.subscribeAsync(name, { qos })
        return {
          target: bindMqtt(connected),
          name,
          publish: (content) => connected.publishAsync(name, JSON.stringify(content), { qos }),
          got,
          touched: [connected, mqtt.MqttClient.prototype],
          dispose: () => connected.endAsync(true),
        }
      })
    }

    it('damages what a listener gets, in the packet as well, and keeps its bytes a Buffer', async () => {
      const connected = await client()
      const name = uniqueName('/')
      const got: unknown[] = []
      connected.on('message', (topic, payload, packet) => got.push([topic, payload, packet.payload, packet.qos]))
      await connected.subscribeAsync(`${name.slice(0, name.lastIndexOf('/'))}/#`, { qos: 1 })
      const injection = await inject(corruptEvents({ damage: 'truncate', length: 2 }), bindMqtt(connected), {
        only: name,
      })
      await connected.publishAsync(name, Buffer.from([1, 2, 3]), { qos: 1 })
      await vi.waitFor(() => expect(got).toEqual([[name, Buffer.from([1, 2]), Buffer.from([1, 2]), 1]]))
      await injection.rollback()
    })

    it('ends the callback of a publisher once: when a held message has gone through, when a lost one is lost', async () => {
      const connected = await client()
      const name = uniqueName('/')
      const got: string[] = []
      connected.on('message', (_topic, payload) => got.push(String(payload)))
      await connected.subscribeAsync(name)
      const ended: string[] = []
      const publish = (message: string): Promise<void> =>
        new Promise((resolve) => {
          expect(
            connected.publish(name, message, (error) => {
              ended.push(`${message} ${String(error ?? 'well')}`)
              resolve()
            }),
          ).toBe(connected)
        })
      for (const [message, fault] of [
        ['late', delayEvents({ delayMs: 20, seam: 'publish' })],
        ['twice', duplicateEvents({ seam: 'publish', spacingMs: 5 })],
        ['lost', dropEvents({ seam: 'publish' })],
      ] as const) {
        const injection = await inject(fault, bindMqtt(connected), { only: name })
        await publish(message)
        expect(injection.affected).toBe(1)
        await injection.rollback()
      }
      await publish('bare')
      await vi.waitFor(() => expect(got).toEqual(['late', 'twice', 'twice', 'bare']))
      expect(ended).toEqual(['late well', 'twice well', 'lost well', 'bare well'])
    })

    reconnection(async () => {
      const connected = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, { reconnectPeriod: 10 })
      onTestFinished(() => connected.endAsync(true))
      const [name, got, errors] = [uniqueName('/'), [] as string[], [] as unknown[]]
      connected.on('error', (error) => errors.push(error))
      connected.on('message', (_topic, payload) => got.push(String(payload)))
      await connected.subscribeAsync(name)
      return {
        target: bindMqtt(connected),
        publish: (text) => void connected.publish(name, text),
        got,
        errors,
        isUp: () => connected.connected,
        replaced: () => [Reflect.get(connected, 'streamBuilder') as unknown],
      }
    })

    oracle(async () => {
      const connected = await client()
      const name = uniqueName('/')
      connected.on('message', listeners.billing)
      connected.on('message', listeners.mail)
      await connected.subscribeAsync(name)
      return { target: bindMqtt(connected), name, publish: (text) => connected.publishAsync(name, text) }
    })
  },
)
