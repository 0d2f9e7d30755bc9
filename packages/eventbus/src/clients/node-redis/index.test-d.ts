import { inject } from '@chaos/core'
import { createClient } from 'redis'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindNodeRedisPubSub, bindNodeRedisStreams } from './index.js'

it('takes the clients of node-redis, of either protocol, and makes a bus of them', () => {
  const [client, old] = [createClient(), createClient({ RESP: 2 })]
  assertType<Bus>(bindNodeRedisPubSub({ publisher: client, subscriber: old }))
  void inject(dropEvents(), bindNodeRedisPubSub({ subscriber: client }), { only: 'orders:*' })
  // @ts-expect-error -- not a client
  bindNodeRedisPubSub({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  bindNodeRedisPubSub(client)
})

it('takes the clients of node-redis that read and write streams', () => {
  const client = createClient()
  assertType<Bus>(
    bindNodeRedisStreams({ publisher: client, consumer: client, acknowledger: createClient({ RESP: 2 }) }),
  )
  // @ts-expect-error -- not a client
  bindNodeRedisStreams({ consumer: new EventTarget() })
})
