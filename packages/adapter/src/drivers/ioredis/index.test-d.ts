import { inject } from '@chaos/core'
import { Cluster, Redis } from 'ioredis'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindIoredis } from './index.js'

it('takes clients of ioredis and their classes', () => {
  void inject(refuseCalls({ methods: ['GET', 'H*'], error: 'redis/readonly' }), bindIoredis(new Redis()), {
    only: (args) => args[0] === 'key',
  })
  bindIoredis(Redis)
  bindIoredis(new Cluster([]))
  bindIoredis(Cluster)
  // @ts-expect-error -- not a client
  bindIoredis(new Map())
  // @ts-expect-error -- not a class of clients
  bindIoredis(Map)
})
