import { inject } from '@chaos/core'
import { createClient, RedisClient } from 'redis'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { redisCommands } from './index.js'

it('takes clients of node-redis and their class', () => {
  void inject(refuseCalls({ methods: ['GET', 'H*'], error: 'redis/readonly' }), redisCommands(createClient()), {
    only: (args) => args[0] === 'key',
  })
  redisCommands(createClient({ RESP: 2 }))
  redisCommands(RedisClient)
  // @ts-expect-error -- not a client
  redisCommands(new Map())
  // @ts-expect-error -- not a class of clients
  redisCommands(Map)
})
