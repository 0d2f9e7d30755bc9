import { inject, withFault } from '@chaos/core'
import { hasPrograms, muteRelay, ownRedis, type MuteRelay, type OwnServer } from '@chaos/test-servers'
import { setImmediate as turn } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { rejection } from '../../../test/rejection.js'
import { hangCalls } from '../../calls/index.js'
import { bindNodeRedis } from './seam.js'

type Client = ReturnType<typeof createClient>

/** Waits until the commands of a client are written, or taken. */
const written = async (): Promise<void> => {
  await turn()
  await turn()
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

const saidOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await rejection(work)
  return `${error.constructor.name}: ${error.message}`
}

/** Version 5 reports that a client which closes is closed, after it has failed its commands. */
function destroy(client: Client): void {
  try {
    client.destroy()
  } catch (error) {
    expect((error as Error).constructor.name).toBe('ClientClosedError')
  }
}

/** What an application does, and sees. */
interface Situation {
  readonly title: string
  readonly options?: Parameters<typeof createClient>[0]
  readonly see: (client: Client, relay: MuteRelay) => Promise<unknown>
  readonly sees: unknown
}

const DESTROYED = 'DisconnectsClientError: Disconnects client'

const situations: readonly Situation[] = [
  {
    title: 'ends a command by `socketTimeout`, and the client with it',
    options: { socket: { socketTimeout: 400 } },
    see: async (client) => [await saidOf(client.get('key')), client.isOpen, await saidOf(client.get('key'))],
    sees: [
      "SocketTimeoutError: Socket timeout timeout. Expecting data, but didn't receive any in 400ms.",
      false,
      'ClientClosedError: The client is closed',
    ],
  },
  {
    title: 'does not end a written command by its `timeout`',
    async see(client) {
      const said = saidOf(client.withCommandOptions({ timeout: 20 }).get('key'))
      await written()
      await aborted(AbortSignal.timeout(40))
      client.destroy()
      return said
    },
    sees: DESTROYED,
  },
  {
    title: 'does not end a written command by its `abortSignal`',
    async see(client) {
      const controller = new AbortController()
      const said = saidOf(client.withAbortSignal(controller.signal).get('key'))
      await written()
      controller.abort()
      await turn()
      client.destroy()
      return said
    },
    sees: DESTROYED,
  },
  {
    title: 'ends a command by its `abortSignal` before it is written',
    async see(client) {
      const controller = new AbortController()
      const said = saidOf(client.withAbortSignal(controller.signal).get('key'))
      controller.abort()
      return [await said, await saidOf(client.withAbortSignal(controller.signal).get('key'))]
    },
    sees: ['AbortError: The command was aborted', 'AbortError: The command was aborted'],
  },
  {
    title: 'refuses more commands than `commandsQueueMaxLength`',
    options: { commandsQueueMaxLength: 6 },
    async see(client) {
      const said = Array.from({ length: 6 }, () => saidOf(client.get('a')))
      await written()
      const refused = await saidOf(client.get('c'))
      client.destroy()
      return [refused, ...(await Promise.all(said))]
    },
    sees: ['Error: The queue is full', ...Array.from({ length: 6 }, () => DESTROYED)],
  },
  {
    title: 'fails written commands when the connection breaks, and keeps none for the next one',
    async see(client, relay) {
      const said = [client.get('a'), client.blPop('list', 0), client.multi().get('b').exec()].map(saidOf)
      await written()
      relay.cut()
      return Promise.all(said)
    },
    sees: Array.from({ length: 3 }, () => 'SocketClosedUnexpectedlyError: Socket closed unexpectedly'),
  },
  {
    title: 'fails transactions, pipelines and blocking commands when the client is destroyed',
    async see(client) {
      const said = [
        client.multi().set('a', 1).get('a').exec(),
        client.multi().set('a', 1).get('a').execAsPipeline(),
        client.blPop('list', 0),
      ].map(saidOf)
      await written()
      client.destroy()
      return Promise.all(said)
    },
    sees: [DESTROYED, DESTROYED, DESTROYED],
  },
  {
    title: 'lets the client close only after its commands',
    async see(client) {
      const said = saidOf(client.get('a'))
      await written()
      let isClosed = false
      void client.close().then(() => (isClosed = true))
      await turn()
      const seen = [isClosed, client.isOpen, client.isReady]
      destroy(client)
      return [...seen, await said]
    },
    sees: [false, false, true, DESTROYED],
  },
]

describe.runIf(hasPrograms('redis-server'))(
  'a hung client of node-redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())

    const connectedBy = async (options: Situation['options']): Promise<[Client, MuteRelay]> => {
      const relay = await muteRelay(server.port)
      onTestFinished(relay.stop)
      const client = createClient({
        ...options,
        socket: { host: '127.0.0.1', port: relay.port, ...options?.socket },
      })
      client.on('error', () => undefined)
      await client.connect()
      onTestFinished(() => {
        if (client.isOpen) client.destroy()
      })
      return [client, relay]
    }

    for (const { title, options, see, sees } of situations)
      it(`${title}, as before a mute server`, async () => {
        const [real, mute] = await connectedBy(options)
        mute.isMute = true
        expect(await see(real, mute)).toEqual(sees)

        const [client, relay] = await connectedBy(options)
        await withFault(hangCalls(), bindNodeRedis(client), async () => {
          expect(await see(client, relay)).toEqual(sees)
        })
      })

    it('lets a command without a connection time out unseen', async () => {
      const client = createClient({ socket: { host: '127.0.0.1', port: 1, reconnectStrategy: 60_000 } })
      const failed = new Promise((resolve) => client.once('error', resolve))
      client.connect().catch(() => undefined)
      onTestFinished(() => client.destroy())
      await failed
      const hang = await inject(hangCalls(), bindNodeRedis(client))
      expect(await saidOf(client.withCommandOptions({ timeout: 20 }).get('key'))).toBe('TimeoutError: ')
      expect(hang.seen).toBe(0)
      await hang.rollback()
    })
  },
)
