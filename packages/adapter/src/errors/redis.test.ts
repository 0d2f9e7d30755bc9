import { Redis, type RedisOptions } from 'ioredis'
import { rmSync } from 'node:fs'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasPrograms, ownRedis, redisAgain, type OwnServer } from '@chaos/test-servers'
import { expectFidelity } from '../../test/fidelity.js'
import { installedVersion } from '../../test/installed-version.js'
import { rejection } from '../../test/rejection.js'
import type { FailingCall } from './failing-call.js'
import { redisErrors } from './redis.js'
import { slotOf } from './redis-slot.js'

describe.runIf(hasPrograms('redis-server'))(
  'errors of Redis, beside real ones (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    let version: string

    beforeAll(async () => {
      server = await ownRedis()
      const client = new Redis(server.port)
      version = `Redis ${/redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? ''}`
      await client.quit()
    })
    afterAll(() => server.stop())

    /** A server that is started for one test. */
    async function own(...options: string[]): Promise<OwnServer> {
      const made = await ownRedis(...options)
      onTestFinished(() => made.stop())
      return made
    }

    function connect({ port }: OwnServer, options: RedisOptions = {}): Redis {
      const client = new Redis(port, { enableReadyCheck: false, ...options })
      client.on('error', () => undefined)
      onTestFinished(() => client.disconnect())
      return client
    }

    function compare(preset: keyof typeof redisErrors, real: Error, call: Partial<FailingCall> = {}): void {
      expectFidelity({
        preset,
        beside: `${version}, ${installedVersion('ioredis')}`,
        real,
        injected: redisErrors[preset]({ host: '127.0.0.1', port: 6379, ...call }),
      })
    }
    const get = { method: 'get', args: ['key'] }
    const set = { method: 'set', args: ['key', 1] }

    it('redis/readonly and redis/masterdown, from a replica whose master is gone', async () => {
      const client = connect(await own('--replicaof', '127.0.0.1', '1'))
      compare('redis/readonly', await rejection(client.set('key', 1)), set)
      await client.config('SET', 'replica-serve-stale-data', 'no')
      compare('redis/masterdown', await rejection(client.get('key')), get)
    })

    it('redis/readonly, as node-redis tells it', async () => {
      const { port } = await own('--replicaof', '127.0.0.1', '1')
      const client = createClient({ url: `redis://127.0.0.1:${port}` })
      await client.connect()
      onTestFinished(() => client.destroy())
      const real = await rejection(client.set('key', 1))
      expectFidelity({
        preset: 'redis/readonly',
        beside: `${version}, ${installedVersion('redis')}`,
        real,
        injected: redisErrors['redis/readonly']({ host: '127.0.0.1', port, ...set, target: client }),
      })
    })

    it('redis/loading, from a server that reads its data set', async () => {
      const before = await own('--rdbcompression', 'no')
      const writer = connect(before)
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => writer.set(`key-${n}`, 'x'.repeat(1_024))))
      await writer.save()
      writer.disconnect()
      before.process.kill('SIGKILL')
      await vi.waitFor(() => expect(before.process.signalCode).toBe('SIGKILL'))
      const again = await redisAgain(
        before,
        '--key-load-delay',
        '100000',
        '--loading-process-events-interval-bytes',
        '1024',
      )
      onTestFinished(() => again.stop())
      compare('redis/loading', await rejection(connect(again).get('key')), get)
    })

    it('redis/oom, from a server that has used its memory', async () => {
      const client = connect(await own('--maxmemory', '1'))
      compare('redis/oom', await rejection(client.set('key', 1)), set)
    })

    it('redis/misconf, from a server that cannot write its snapshot', async () => {
      const { port, folder, ...rest } = await own('--save', '3600 1')
      const client = connect({ port, folder, ...rest })
      rmSync(folder, { recursive: true })
      await client.bgsave()
      await vi.waitFor(async () => expect(await client.info('persistence')).toContain('rdb_last_bgsave_status:err'))
      compare('redis/misconf', await rejection(client.set('key', 1)), set)
    })

    it('redis/busy, from a server that runs a script', async () => {
      const to = await own('--busy-reply-threshold', '1')
      // A client that is killed in its script does not come back.
      connect(to, { maxRetriesPerRequest: 0, retryStrategy: () => null })
        .eval('while true do end', 0)
        .catch(() => undefined)
      const client = connect(to)
      compare('redis/busy', await vi.waitFor(() => rejection(client.get('key'))), get)
    })

    it('redis/noauth, from a server that wants a password', async () => {
      compare('redis/noauth', await rejection(connect(await own('--requirepass', 'secret')).get('key')), get)
    })

    it('redis/clusterdown and redis/moved, from a cluster whose slots are elsewhere', async () => {
      const [here, there] = [await own('--cluster-enabled', 'yes'), await own('--cluster-enabled', 'yes')]
      const [client, other] = [connect(here), connect(there)]
      compare('redis/clusterdown', await rejection(client.get('key')), get)
      await client.call('CLUSTER', 'MEET', '127.0.0.1', String(there.port))
      await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8000')
      await other.call('CLUSTER', 'ADDSLOTSRANGE', '8001', '16383')
      await vi.waitFor(async () => expect(await client.call('CLUSTER', 'INFO')).toContain('cluster_state:ok'))
      compare('redis/moved', await rejection(client.get('key')), { ...get, port: there.port })
      for (const key of ['key', 'foo', '{user}.name', 'a{}{b}', 'a{{b}}c', ''])
        expect(slotOf(key)).toBe(await client.call('CLUSTER', 'KEYSLOT', key))
    })

    it('redis/connection-closed, from a client that has given up', async () => {
      const to = await own()
      const client = connect(to, { retryStrategy: () => null })
      await client.ping()
      to.process.kill('SIGKILL')
      await vi.waitFor(() => expect(client.status).toBe('end'))
      compare('redis/connection-closed', await rejection(client.get('key')))
    })

    it('redis/max-retries, from a client whose server does not come back', async () => {
      const to = await own()
      const client = connect(to, { retryStrategy: () => 1 })
      await client.ping()
      to.process.kill('SIGKILL')
      await vi.waitFor(() => expect(client.status).not.toBe('ready'))
      compare('redis/max-retries', await rejection(client.get('key')))
    })

    it('redis/command-timeout, from a server that is frozen', async () => {
      const to = await own()
      const client = connect(to)
      await client.ping()
      to.process.kill('SIGSTOP')
      client.options.commandTimeout = 20
      compare('redis/command-timeout', await rejection(client.get('key')))
    })
  },
)
