import { injectedBy, withFault } from '@chaos/core'
import { shapeDifference, shapeOf, type Shape } from '@chaos/core/testing'
import { hasPrograms, ownRedisCluster, type OwnCluster } from '@chaos/test-servers'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisClientClass } from '../../../test/redis-client-class.js'
import { rejection } from '../../../test/rejection.js'
import { delayCalls, hangCalls, refuseCalls } from '../../calls/index.js'
import { bindIoredis } from './seam.js'
import { bindNodeRedis } from '../node-redis/seam.js'

/** Keys of both nodes: of the slots 5061 and 12182. */
const KEYS = ['bar', 'foo'] as const

describe.runIf(hasPrograms('redis-server'))(
  'a cluster of two nodes of Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let own: OwnCluster
    /** Sees what is really in Redis: asked at the node that has it. */
    let witnesses: readonly Redis[]
    const kept = async (): Promise<unknown[]> => Promise.all(KEYS.map((key, n) => (witnesses[n] as Redis).get(key)))

    beforeAll(async () => {
      own = await ownRedisCluster()
      witnesses = own.nodes.map(({ port }) => new Redis(port))
    })
    afterAll(async () => {
      for (const witness of witnesses) witness.disconnect()
      await own.stop()
    })

    describe('by ioredis', () => {
      let cluster: Cluster
      beforeAll(async () => {
        cluster = new Cluster(own.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
        for (const key of KEYS) await cluster.set(key, key)
      })
      afterAll(() => cluster.disconnect())

      it('is broken at its nodes, and left as it was', async () => {
        const touched = [cluster, ...cluster.nodes('all')]
        const before = touched.map(shapeOf)
        await withFault(
          refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
          bindIoredis(cluster),
          async (injection) => {
            for (const key of KEYS) {
              const error = await rejection(cluster.set(key, 'other'))
              expect(error).toMatchObject({
                name: 'ReplyError',
                message: "READONLY You can't write against a read only replica.",
                command: { name: 'set' },
              })
              expect(injectedBy(error)).toBe('adapter/refuse-calls')
              expect(await cluster.get(key)).toBe(key)
            }
            expect([injection.seen, injection.affected, injection.target]).toEqual([2, 2, 'Cluster'])
          },
        )
        expect(await kept()).toEqual(KEYS)
        expect(touched.map((one, n) => shapeDifference(before[n] as Shape, shapeOf(one)))).toEqual(
          touched.map(() => undefined),
        )
      })

      it('ends a hang by the `commandTimeout` of its nodes', async () => {
        const hasty = new Cluster(own.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
        onTestFinished(() => hasty.disconnect())
        for (const key of KEYS) await hasty.get(key)
        for (const node of hasty.nodes('all')) node.options.commandTimeout = 100
        await withFault(hangCalls({ methods: 'GET' }), bindIoredis(hasty), async () => {
          for (const key of KEYS) expect((await rejection(hasty.get(key))).message).toBe('Command timed out')
        })
      })

      it('breaks single commands of its pipelines, and whole transactions', async () => {
        await withFault(refuseCalls({ methods: 'INCR', message: 'refused' }), bindIoredis(cluster), async () => {
          const answers = await cluster.pipeline().incr('{foo}n').get('foo').exec()
          expect(answers?.map(([error, value]) => error?.message ?? value)).toEqual(['refused', 'foo'])
          expect(await rejection(cluster.multi().set('{foo}n', '7').incr('{foo}n').exec())).toMatchObject({
            message: 'refused',
          })
        })
        expect(await cluster.get('{foo}n')).toBeNull()
        expect(await cluster.multi().set('{foo}n', '7').incr('{foo}n').exec()).toEqual([
          [null, 'OK'],
          [null, 8],
        ])
        await cluster.del('{foo}n')
      })

      it.each([
        ['redis/moved', 'the class of nodes', () => Redis],
        ['redis/clusterdown', 'the class of nodes', () => Redis],
        ['redis/moved', 'the cluster', () => cluster],
        ['redis/clusterdown', 'the cluster', () => cluster],
        ['redis/clusterdown', 'the class of clusters', () => Cluster],
      ] as const)(
        'follows or tries again by itself what its nodes answer: %s, bound by %s',
        async (error, _what, target) => {
          await withFault(
            refuseCalls({ methods: 'GET', error }),
            bindIoredis(target()),
            { limitPerOperation: 2 },
            async (injection) => {
              for (const key of KEYS) expect(await cluster.get(key)).toBe(key)
              expect(injection.affected).toBe(2)
            },
          )
        },
      )
    })

    describe('by node-redis', () => {
      const connect = () =>
        createCluster({ rootNodes: own.nodes.map(({ port }) => ({ socket: { host: '127.0.0.1', port } })) })
      let cluster: ReturnType<typeof connect>
      const Client = redisClientClass(createClient())
      beforeAll(async () => {
        cluster = connect()
        await cluster.connect()
        for (const key of KEYS) await cluster.set(key, key)
      })
      afterAll(() => cluster.destroy())

      it('is broken on its nodes, by the class of clients', async () => {
        await withFault(
          refuseCalls({ methods: 'SET', error: 'redis/readonly' }),
          bindNodeRedis(Client),
          async (injection) => {
            for (const key of KEYS) {
              const error = await rejection(cluster.set(key, 'other'))
              expect(error).toMatchObject({ message: "READONLY You can't write against a read only replica." })
              expect(injectedBy(error)).toBe('adapter/refuse-calls')
            }
            expect(injection.affected).toBe(2)
          },
        )
        expect(await kept()).toEqual(KEYS)
        for (const key of KEYS) expect(await cluster.set(key, key)).toBe('OK')
      })

      it('follows what its nodes answer: redis/moved', async () => {
        await withFault(
          refuseCalls({ methods: 'GET', error: 'redis/moved' }),
          bindNodeRedis(Client),
          { limitPerOperation: 2 },
          async (injection) => {
            for (const key of KEYS) expect(await cluster.get(key)).toBe(key)
            expect(injection.affected).toBe(2)
          },
        )
      })

      it('is late on its nodes', async () => {
        await withFault(delayCalls({ methods: 'GET', delayMs: 50 }), bindNodeRedis(Client), async (injection) => {
          for (const key of KEYS) expect(await cluster.get(key)).toBe(key)
          expect(injection.affected).toBe(2)
        })
      })
    })
  },
)
