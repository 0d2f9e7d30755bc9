import { inject } from '@chaos/core'
import { createClient } from 'redis'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { nodeRedisPubSub, nodeRedisStreams } from './index.js'

it('takes the clients of node-redis, of either protocol, and makes a bus of them', () => {
  const [client, old] = [createClient(), createClient({ RESP: 2 })]
  assertType<Bus>(nodeRedisPubSub({ publisher: client, subscriber: old }))
  void inject(dropEvents(), nodeRedisPubSub({ subscriber: client }), { only: 'orders:*' })
  // @ts-expect-error -- not a client
  nodeRedisPubSub({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  nodeRedisPubSub(client)
})

it('takes the clients of node-redis that read and write streams', () => {
  const client = createClient()
  assertType<Bus>(nodeRedisStreams({ publisher: client, consumer: client, acknowledger: createClient({ RESP: 2 }) }))
  // @ts-expect-error -- not a client
  nodeRedisStreams({ consumer: new EventTarget() })
})
