import { inject, withFault } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { hasPrograms, ownRedisCluster, type OwnCluster } from '@chaos/test-servers'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { delayEvents } from '../../faults/delay-events.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindIoredisPubSub, bindIoredisStreams } from './index.js'

/** Streams of both nodes: of the slots 5061 and 12182. */
const STREAMS = ['bar', 'foo'] as const

describe.runIf(hasPrograms('redis-server'))(
  'a cluster of two nodes of Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let own: OwnCluster
    beforeAll(async () => {
      own = await ownRedisCluster()
    })
    afterAll(() => own.stop())

    function connect(options: { readonly enableAutoPipelining?: boolean } = {}): Cluster {
      const cluster = new Cluster(
        own.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
        options,
      )
      onTestFinished(() => cluster.disconnect())
      return cluster
    }

    it.each([{}, { enableAutoPipelining: true }])(
      'is broken at its nodes, beneath their `commandTimeout`, and left as it was: %o',
      async (options) => {
        const cluster = connect(options)
        for (const stream of STREAMS) await cluster.xadd(stream, '*', 'n', '0')
        const touched = (): object[] => [cluster, ...cluster.nodes('all')]
        const before = touched().map(shapeOf)
        const delay = await inject(
          delayEvents({ delayMs: 60_000, seam: 'publish', order: 'free' }),
          bindIoredisStreams({ publisher: cluster }),
        )
        // Only while commands are held: on a machine that stalls others may take longer.
        for (const node of cluster.nodes('all')) node.options.commandTimeout = 100
        for (const stream of STREAMS)
          await expect(cluster.xadd(stream, '*', 'n', '1')).rejects.toEqual(new Error('Command timed out'))
        for (const node of cluster.nodes('all')) delete node.options.commandTimeout
        expect(delay.account).toMatchObject({ sent: 2, held: 2 })
        await delay.rollback()
        expect(touched().map((one, index) => shapeDifference(before[index] as never, shapeOf(one)))).toEqual(
          touched().map(() => undefined),
        )
        for (const stream of STREAMS) expect(await cluster.xlen(stream)).toBe(2)
        await cluster.del(STREAMS[0])
        await cluster.del(STREAMS[1])
      },
    )

    it('is broken at nodes that it connects to during the fault', async () => {
      const cluster = connect()
      await withFault(dropEvents({ seam: 'publish' }), bindIoredisPubSub({ publisher: cluster }), async (drop) => {
        expect(await cluster.publish('channel', 'lost')).toBe(0)
        expect(drop.account).toMatchObject({ sent: 1, dropped: 1 })
      })
    })
  },
)
