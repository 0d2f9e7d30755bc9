import { inject } from '@chaos/core'
import { createClient, RedisClient } from 'redis'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindNodeRedis } from './index.js'

it('takes clients of node-redis and their class', () => {
  void inject(refuseCalls({ methods: ['GET', 'H*'], error: 'redis/readonly' }), bindNodeRedis(createClient()), {
    only: (args) => args[0] === 'key',
  })
  bindNodeRedis(createClient({ RESP: 2 }))
  bindNodeRedis(RedisClient)
  // @ts-expect-error -- not a client
  bindNodeRedis(new Map())
  // @ts-expect-error -- not a class of clients
  bindNodeRedis(Map)
})
