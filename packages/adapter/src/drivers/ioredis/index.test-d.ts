import { inject } from '@chaos/core'
import { Cluster, Redis } from 'ioredis'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { redisCommands } from './index.js'

it('takes clients of ioredis and their classes', () => {
  void inject(refuseCalls({ methods: ['GET', 'H*'], error: 'redis/readonly' }), redisCommands(new Redis()), {
    only: (args) => args[0] === 'key',
  })
  redisCommands(Redis)
  redisCommands(new Cluster([]))
  redisCommands(Cluster)
  // @ts-expect-error -- not a client
  redisCommands(new Map())
  // @ts-expect-error -- not a class of clients
  redisCommands(Map)
})
