import assert from 'node:assert/strict'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { bindIoredis } from '@chaos/adapter/ioredis'
import { cutResponses, refuseConnections } from '@chaos/adapter/net'
import { exempt } from '@chaos/core/authoring'
import { ownRedis } from '@chaos/test-servers'
import { explore } from '@chaos/test'
import { Redis } from 'ioredis'
import net from 'node:net'
import { settled, shared, type Subject } from './subject.js'

/** The time between attempts at a connection, and their number: after that, the client gives up. */
const RETRY_MS = 20
const MAX_ATTEMPTS = 3

const subjectOf = (remedy?: { readonly remedy: string }): Subject => ({
  name: 'ioredis',
  ...remedy,
  promise:
    'Each command ends, a confirmed write is there, a counter that is incremented once is at most 1, and the client recovers.',
  servers: ['redis-server'],
  isSteady: false,
  async explore(how) {
    const server = await ownRedis()
    const options = { host: '127.0.0.1', port: server.port, lazyConnect: true }
    /** Looks at the server on a connection that no fault covers. */
    const control = new Redis(options)
    await connectedExempt(control)
    const clients = new Set<Redis>()
    const made = (): Redis => {
      const client = new Redis({
        ...options,
        maxRetriesPerRequest: 2,
        retryStrategy: (times) => (times > MAX_ATTEMPTS ? null : RETRY_MS),
        ...(remedy && { autoResendUnfulfilledCommands: false }),
        ...((remedy !== undefined || !how.hangs) && { commandTimeout: 1_000 }),
      })
      client.on('error', () => undefined)
      clients.add(client)
      return client
    }
    let client = made()
    try {
      return await explore(
        {
          ...shared(how),
          name: 'ioredis',
          reset: async () => {
            client.disconnect()
            await control.flushall()
            client = made()
            await client.connect()
          },
          targets: () => ({ redis: bindIoredis(client), replies: net, connections: net }),
          faults: { redis: [refuseCalls, failAfterCall], replies: [cutResponses], connections: [refuseConnections] },
        },
        async ({ settle }) => {
          const set = await settled(client.set('name', 'value'))
          const count = await settled(client.incr('count'))
          const got = await settled(client.get('name'))
          await settle()
          const [stored, counted] = [await control.get('name'), Number(await control.get('count'))]
          if ('value' in set) assert.equal(stored, 'value', 'a confirmed write is lost')
          if ('value' in got) assert.equal(got.value, stored)
          if ('value' in count) assert.ok(counted >= 1, 'a confirmed increment is lost')
          assert.ok(counted <= 1, `one increment counted ${counted} times`)
        },
      )
    } finally {
      for (const one of clients) one.disconnect()
      control.disconnect()
      await server.stop()
    }
  },
})

/** ioredis, with retries of its connection and of the commands that were sent on one that broke. */
export const ioredisSubject = subjectOf()
/** The same without resending. */
export const ioredisRemedy = subjectOf({
  remedy: '`autoResendUnfulfilledCommands` is off, and commands have a `commandTimeout`',
})

/** Connects a client whose socket faults leave alone. */
async function connectedExempt(client: Redis): Promise<void> {
  await client.connect()
  exempt((client as unknown as { readonly stream: net.Socket }).stream)
}
