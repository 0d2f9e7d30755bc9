import { inject } from '@chaos/core'
import { Cluster, Redis } from 'ioredis'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindIoredisPubSub, bindIoredisStreams } from './index.js'

it('takes the clients of ioredis, and makes a bus of them', () => {
  const redis = new Redis({ lazyConnect: true })
  assertType<Bus>(bindIoredisPubSub({ publisher: redis, subscriber: redis }))
  void inject(dropEvents(), bindIoredisPubSub({ subscriber: new Cluster([]) }), { only: 'orders:*' })
  // @ts-expect-error -- not a client
  bindIoredisPubSub({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  bindIoredisPubSub(redis)
})

it('takes the clients of ioredis that read and write streams', () => {
  const redis = new Redis({ lazyConnect: true })
  assertType<Bus>(bindIoredisStreams({ publisher: redis, consumer: redis, acknowledger: new Cluster([]) }))
  // @ts-expect-error -- not a client
  bindIoredisStreams({ consumer: new EventTarget() })
})
