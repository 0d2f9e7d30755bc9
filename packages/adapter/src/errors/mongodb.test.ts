import { withFault } from '@chaos/core'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectFidelity } from '../../test/fidelity.js'
import { installedVersion } from '../../test/installed-version.js'
import { mongoDouble, type MongoDouble } from '../../test/mongo-double.js'
import { rejection } from '../../test/rejection.js'
import { bindMongodb } from '../drivers/mongodb/seam.js'
import { refuseCalls } from '../calls/index.js'

// What the driver makes of an answer is compared; that a server gives that answer is from its source.
const answers = {
  'mongodb/not-primary': { ok: 0, errmsg: 'not primary', code: 10_107, codeName: 'NotWritablePrimary' },
  'mongodb/shutdown': { ok: 0, errmsg: 'interrupted at shutdown', code: 11_600, codeName: 'InterruptedAtShutdown' },
  'mongodb/max-time': { ok: 0, errmsg: 'operation exceeded time limit', code: 50, codeName: 'MaxTimeMSExpired' },
  'mongodb/write-conflict': {
    ok: 0,
    errmsg:
      'WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.',
    code: 112,
    codeName: 'WriteConflict',
    errorLabels: ['TransientTransactionError'],
  },
} as const

describe("errors of MongoDB, beside what the driver makes of the answers that stand in the server's source", () => {
  let double: MongoDouble
  let client: MongoClient

  beforeAll(async () => {
    double = await mongoDouble()
    client = new MongoClient(`mongodb://127.0.0.1:${double.port}`)
    await client.connect()
  })
  afterAll(async () => {
    await client.close()
    await double.close()
  })

  it.each(Object.keys(answers) as (keyof typeof answers)[])('%s', async (preset) => {
    double.answerNext('ping', answers[preset])
    const ping = (): Promise<Error> => rejection(client.db('app').command({ ping: 1 }))
    const real = await ping()
    // Through the driver, which adds labels of its own.
    const injected = await withFault(refuseCalls({ methods: 'ping', error: preset }), bindMongodb(client), ping)
    expectFidelity({ preset, beside: `from source: MongoDB 7.0, ${installedVersion('mongodb')}`, real, injected })
  })
})
