import { inject } from '@chaos/core'
import { Cluster, Redis } from 'ioredis'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { ioredisPubSub, ioredisStreams } from './index.js'

it('takes the clients of ioredis, and makes a bus of them', () => {
  const redis = new Redis({ lazyConnect: true })
  assertType<Bus>(ioredisPubSub({ publisher: redis, subscriber: redis }))
  void inject(dropEvents(), ioredisPubSub({ subscriber: new Cluster([]) }), { only: 'orders:*' })
  // @ts-expect-error -- not a client
  ioredisPubSub({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  ioredisPubSub(redis)
})

it('takes the clients of ioredis that read and write streams', () => {
  const redis = new Redis({ lazyConnect: true })
  assertType<Bus>(ioredisStreams({ publisher: redis, consumer: redis, acknowledger: new Cluster([]) }))
  // @ts-expect-error -- not a client
  ioredisStreams({ consumer: new EventTarget() })
})
