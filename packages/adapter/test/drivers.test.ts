import { inject, withFault } from '@chaos/core'
import { hasPrograms, ownPostgres, ownRedis, redisAgain, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import pg from 'pg'
import { createClient } from 'redis'
import { Agent, RetryAgent } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { cutConnections, cutResponses, refuseConnections } from '../src/net/index.js'

/** An outage, real or injected: it begins when it is called, and ends when what it returns is called. */
type Outage = () => Promise<() => Promise<unknown>>

/** The server on this port is stopped, as the process sees it: what stands ends, what comes is refused. */
const injected =
  (port: number): Outage =>
  async () => {
    const only = { only: `127.0.0.1:${port}` }
    const refusal = await inject(refuseConnections(), net, only)
    const cut = await inject(cutConnections({ how: 'end' }), net, only)
    expect(cut.affected).toBeGreaterThan(0)
    return () => refusal.rollback()
  }

const told = (event: string, [value]: readonly unknown[]): string =>
  [event, value instanceof Error ? value.message : typeof value === 'number' ? String(value) : ''].join(' ').trimEnd()

describe.runIf(hasPrograms('redis-server'))(
  'clients of Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    /** What happens to a client from the beginning of an outage until it has come back. */
    async function throughOutage(
      client: NodeJS.EventEmitter & { readonly ping: () => Promise<unknown> },
      events: readonly string[],
      outage: Outage,
    ): Promise<readonly string[]> {
      const life: string[] = []
      for (const event of events) client.on(event, (...args: unknown[]) => life.push(told(event, args)))
      const heal = await outage()
      const attempts = (): number => life.filter((event) => event.startsWith('reconnecting')).length
      await vi.waitFor(() => expect(attempts()).toBeGreaterThan(2))
      const answer = client.ping()
      await heal()
      await vi.waitFor(() => expect(life.at(-1)).toBe('ready'))
      expect(await answer).toBe('PONG')
      // It tried on while the server was coming back: how often is chance.
      const thirdAttempt = life.flatMap((event, index) => (event.startsWith('reconnecting') ? [index] : []))[2]
      return [...life.slice(0, thirdAttempt), '…', ...life.slice(-2)]
    }

    /** Stops a server, and starts it again on its port. Told to stop, it closes its port before its connections; killed, it is chance which comes first. */
    const stopped =
      (server: OwnServer): Outage =>
      async () => {
        server.process.kill('SIGTERM')
        await once(server.process, 'exit')
        return async () => {
          const again = await redisAgain(server)
          onTestFinished(() => again.stop())
        }
      }

    it('ioredis closes, reconnects by its own retry strategy, and comes back, as in a real outage', async () => {
      const server = await ownRedis()
      const life = async (outage: Outage): Promise<readonly string[]> => {
        const client = new Redis(server.port, '127.0.0.1', {
          retryStrategy: (times) => Math.min(times, 3) * 5,
          maxRetriesPerRequest: null,
        })
        onTestFinished(() => client.disconnect())
        await once(client, 'ready')
        return throughOutage(client, ['connect', 'ready', 'error', 'close', 'reconnecting', 'end'], outage)
      }
      const simulated = await life(injected(server.port))
      expect(simulated.slice(0, 5)).toEqual([
        'close',
        'reconnecting 5',
        `error connect ECONNREFUSED 127.0.0.1:${server.port}`,
        'close',
        'reconnecting 10',
      ])
      expect(simulated).toEqual(await life(stopped(server)))
    })

    it('node-redis reconnects by its own strategy, and comes back, as in a real outage', async () => {
      const server = await ownRedis()
      const life = async (outage: Outage): Promise<readonly string[]> => {
        const client = createClient({ socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: () => 5 } })
        client.on('error', () => undefined)
        await client.connect()
        onTestFinished(() => client.destroy())
        return throughOutage(client, ['connect', 'ready', 'error', 'reconnecting', 'end'], outage)
      }
      const simulated = await life(injected(server.port))
      expect(simulated[0]).toBe('error Socket closed unexpectedly')
      expect(simulated).toEqual(await life(stopped(server)))
    })
  },
)

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'a pool of pg (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    it(
      "hears the error of an idle client, drops it, and makes another, as when the server's process is killed",
      async () => {
        const server = await ownPostgres()
        onTestFinished(() => server.stop())
        const life = async (outage: (pid: number) => unknown): Promise<readonly string[]> => {
          const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres', max: 2 })
          onTestFinished(() => pool.end())
          const pidOf = async (): Promise<number> =>
            (await pool.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0
          const pid = await pidOf()
          const events: string[] = []
          for (const event of ['error', 'remove', 'connect', 'acquire'] as const)
            pool.on(event as 'connect', (...args: unknown[]) =>
              events.push(`${told(event, args)} ${pool.totalCount}/${pool.idleCount}`),
            )
          await outage(pid)
          await vi.waitFor(() => expect(events.some((event) => event.startsWith('error'))).toBe(true))
          const seen = [...events]
          // A server whose process was killed needs a moment to recover.
          const next = await vi.waitFor(() => pidOf())
          expect(next).not.toBe(pid)
          return seen
        }
        const simulated = await life(() =>
          inject(cutConnections({ how: 'end' }), net, { only: `127.0.0.1:${server.port}` }),
        )
        expect(simulated).toContain('error Connection terminated unexpectedly 0/0')
        expect(simulated).toEqual(await life((pid) => process.kill(pid, 'SIGKILL')))
      },
      SERVER_TIMEOUT_MS,
    )
  },
)

describe('undici', () => {
  it('tries again by its RetryAgent when the answer breaks off, as when a server really resets', async () => {
    const life = async (reset: boolean): Promise<readonly unknown[]> => {
      let requests = 0
      const server = http
        .createServer((request, response) => {
          requests += 1
          if (reset && requests === 1) request.socket.resetAndDestroy()
          else response.end('answer')
        })
        .listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as net.AddressInfo
      const agent = new RetryAgent(new Agent(), { minTimeout: 1, timeoutFactor: 1 })
      onTestFinished(async () => {
        await agent.close()
        server.close()
      })
      const ask = async (): Promise<readonly unknown[]> => {
        const { statusCode, body } = await agent.request({
          origin: `http://127.0.0.1:${port}`,
          path: '/',
          method: 'GET',
        })
        return [statusCode, await body.text(), requests]
      }
      return reset ? ask() : withFault(cutResponses(), net, { only: `127.0.0.1:${port}`, limit: 1 }, ask)
    }
    expect(await life(false)).toEqual([200, 'answer', 2])
    expect(await life(true)).toEqual([200, 'answer', 2])
  })
})
