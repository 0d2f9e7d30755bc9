import { inject } from '@chaos/core'
import { MongoClient } from 'mongodb'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindMongodb } from './index.js'

it('takes clients of mongodb and their class', () => {
  void inject(
    refuseCalls({ methods: ['insert', 'find*'], error: 'mongodb/not-primary' }),
    bindMongodb(new MongoClient('mongodb://127.0.0.1')),
    { only: (args) => args[0] === 'app.users' },
  )
  bindMongodb(MongoClient)
  // @ts-expect-error -- not a client
  bindMongodb(new Map())
  // @ts-expect-error -- not a class of clients
  bindMongodb(Map)
})
