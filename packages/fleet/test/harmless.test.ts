import { hasPrograms, ownRedisCluster, redisAgain, type OwnServer } from '@chaos/test-servers'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net, { type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeKey } from '../src/plan/key-files.js'
import { signPlan } from '../src/plan/signature.js'
import { testPlan } from '../src/testing/plans.js'
import type { JoinFleetOptions } from '../src/index.js'
import type { RedisTransportOptions } from '../src/transports/redis/options.js'
import { testProgram, type TestProcess } from './program.js'
import { fleetOn, serverForTest } from './redis.js'

const MIB = 1_048_576

/** What the fleet has told of in an application. */
const told = (app: TestProcess): readonly string[] => app.lines().filter((line) => line.startsWith('told: '))
const idOf = (app: TestProcess): string => app.lines()[0]?.replace('id ', '') ?? ''
const isBack = 'told: The engine of the fleet answers again.'

/** Resolves when an application that is done has ended, by itself and without a trace of the fleet. */
async function endsByItself(app: TestProcess): Promise<void> {
  app.child.disconnect()
  expect(await app.ended).toEqual([0, null])
  expect(app.lines().filter((line) => /^(uncaughtException|unhandledRejection|warning):/.test(line))).toEqual([])
}

/** A server that does with its connections what the test says. */
async function serverOf(serve: (socket: Socket) => void, secure?: tls.TlsOptions): Promise<number> {
  const sockets = new Set<Socket>()
  const take = (socket: Socket): void => {
    sockets.add(socket.on('error', () => undefined))
    serve(socket)
  }
  const server = secure === undefined ? net.createServer(take) : tls.createServer(secure, take)
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** Answers each command with the same words. With `isPolite`, only what is said after the greeting. */
const says =
  (words: string, isPolite = false) =>
  (socket: Socket): void =>
    void socket.on('data', (chunk) => {
      for (const [, name = ''] of String(chunk).matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)/gm)) {
        const greeting = isPolite ? GREETINGS[name.toLowerCase()] : undefined
        socket.write(greeting ?? words)
      }
    })

const GREETINGS: Readonly<Record<string, string>> = {
  ping: '+PONG\r\n',
  client: '+OK\r\n',
  hello: '-NOPROTO unsupported protocol version\r\n',
  subscribe: '*3\r\n$9\r\nsubscribe\r\n$16\r\n{chaos:test}:wake\r\n:1\r\n',
}

const pem = (folder: string): { readonly key: string; readonly cert: string } => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost']
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

/** Servers that no agent can work with: each gives the options that lead to it, and what is told of it. */
const HOPELESS: Readonly<Record<string, readonly [() => Promise<Partial<RedisTransportOptions>>, RegExp]>> = {
  'accepts and says nothing': [
    async () => ({ port: await serverOf(() => undefined), timeoutMs: 200 }),
    /No answer within/,
  ],
  'hangs up at once': [async () => ({ port: await serverOf((socket) => socket.destroy()) }), /did not answer/],
  'answers in another protocol': [
    async () => ({ port: await serverOf((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')) }),
    /did not answer/,
  ],
  'answers all with OK': [async () => ({ port: await serverOf(says('+OK\r\n')) }), /does not answer as Redis does/],
  'answers with a number': [async () => ({ port: await serverOf(says(':7\r\n')) }), /does not answer as Redis does/],
  'answers with an empty list': [
    async () => ({ port: await serverOf(says('*0\r\n')) }),
    /does not answer as Redis does/,
  ],
  'gives an epoch that is none': [
    async () => ({ port: await serverOf(says('*2\r\n:1\r\n$3\r\nNaN\r\n', true)) }),
    /gave an answer that is none/,
  ],
  'loads its data': [
    async () => ({ port: await serverOf(says('-LOADING Redis is loading the dataset in memory\r\n')) }),
    /LOADING/,
  ],
  'says that the key has moved': [async () => ({ port: await serverOf(says('-MOVED 3999 127.0.0.1:1\r\n')) }), /MOVED/],
  'has a name that does not resolve': [() => Promise.resolve({ host: 'no-such-host.invalid' }), /did not answer/],
  'is nowhere': [() => Promise.resolve({ path: '/no/such/redis.sock' }), /ENOENT/],
  'has no TLS, though it should': [
    async () => ({ port: await serverOf(says('+OK\r\n')), tls: true, timeoutMs: 500 }),
    /did not answer/,
  ],
}

const REDIS: typeof HOPELESS = {
  'refuses the password': [
    async () => ({ port: (await serverForTest('--requirepass', 'right')).port, password: 'wrong' }),
    /WRONGPASS/,
  ],
  'asks for a password': [async () => ({ port: (await serverForTest('--requirepass', 'right')).port }), /NOAUTH/],
  'is a replica': [
    async () => {
      const primary = await serverForTest()
      return { port: (await serverForTest('--replicaof', '127.0.0.1', String(primary.port))).port }
    },
    /READONLY/,
  ],
  'is out of memory': [
    async () => ({ port: (await serverForTest('--maxmemory', '1', '--maxmemory-policy', 'noeviction')).port }),
    /OOM/,
  ],
  'has all the clients that it takes': [
    async () => {
      const { port } = await serverForTest('--maxclients', '1')
      const { witness } = fleetOn(port)
      await witness.ping()
      return { port }
    },
    /did not answer: (?!No answer)/,
  ],
  'has no TLS, though it is a Redis': [
    async () => ({ port: (await serverForTest()).port, tls: true, timeoutMs: 500 }),
    /did not answer/,
  ],
  'has other things in the place of our keys': [
    async () => {
      const { port } = await serverForTest()
      const { witness } = fleetOn(port)
      for (const key of ['index', 'permit', 'epoch']) await witness.rpush(`{chaos:test}:${key}`, 'nonsense')
      return { port }
    },
    /WRONGTYPE/,
  ],
}

const withTls: typeof HOPELESS = {
  'has TLS, though it should not': [
    async () => {
      const { folder } = await serverForTest()
      return { port: await serverOf(says('+OK\r\n'), pem(folder)) }
    },
    /did not answer/,
  ],
  'shows a certificate that nobody vouches for': [
    async () => {
      const { folder } = await serverForTest()
      return { port: await serverOf(says('+OK\r\n'), pem(folder)), tls: true }
    },
    /self-signed certificate/,
  ],
}

/** One of each kind of harm. The soak tries all. */
const ORDINARY = new Set([
  'accepts and says nothing',
  'hangs up at once',
  'answers all with OK',
  'is nowhere',
  'refuses the password',
  'is out of memory',
])
const isSoak = process.env['CHAOS_SOAK'] !== undefined
const SERVERS = Object.entries({ ...HOPELESS, ...REDIS, ...(hasPrograms('openssl') && withTls) }).filter(
  ([what]) => isSoak || ORDINARY.has(what),
)
const REFUSED = isSoak ? ['subscribe', 'zadd', 'evalsha', 'ping', 'publish'] : ['subscribe', 'evalsha']

describe.runIf(hasPrograms('redis-server'))(
  'an application in a fleet (skipped without `redis-server`: Debian package redis-server)',
  () => {
    const start = testProgram(new URL('harmless-app.ts', import.meta.url))
    const startWithoutIoredis = testProgram(new URL('harmless-app.ts', import.meta.url), 'nowhere')

    /** An application that is at work. */
    async function appOn(redis: Partial<RedisTransportOptions>, options: Partial<JoinFleetOptions> = {}) {
      const app = start([JSON.stringify({ redis: { timeoutMs: 5_000, ...redis }, ...options })])
      await app.prints('works')
      return app
    }

    /** An application with a fault in force, by a signed plan. */
    async function brokenOn(server: OwnServer, redis: Partial<RedisTransportOptions> = {}) {
      const key = makeKey('ops')
      const app = await appOn({ port: server.port, ...redis }, { keys: { ops: key.publicKey } })
      const fleet = fleetOn(server.port)
      const { controller } = fleet
      await controller.permit(3_600_000, 'operator', 'a test')
      const plan = testPlan({ instances: [idOf(app)], leaseMs: 2_000 })
      await controller.open(signPlan(plan, key.privateKey, 'ops'), plan, 'owner')
      const renew = () => controller.renew({ runId: plan.runId, owner: 'owner' }, plan.leaseMs, 'active')
      return { app, plan, renew, ...fleet }
    }

    it.each(SERVERS)('works on, tells once and ends by itself when the server %s', async (_what, [options, words]) => {
      const app = await appOn(await options())
      await app.prints(words)
      // Some more attempts, none of which is told of.
      for (let polls = 0; polls < 10; polls += 1) await new Promise((resolve) => setTimeout(resolve, 50))
      expect(told(app)).toEqual([expect.stringMatching(/^told: The engine of the fleet does not answer: /)])
      await endsByItself(app)
    })

    it('works on without ioredis', async () => {
      const app = startWithoutIoredis([JSON.stringify({ redis: 'redis://127.0.0.1:1' })])
      await app.prints(/The package ioredis could not be loaded/)
      expect(told(app)).toHaveLength(1)
      await endsByItself(app)
    })

    it('is told where it should connect when a cluster has put the fleet elsewhere, and works on', async () => {
      const cluster = await ownRedisCluster()
      onTestFinished(async () => {
        await cluster.stop()
      })
      const apps = await Promise.all(cluster.nodes.map(({ port }) => appOn({ port })))
      await vi.waitFor(() => expect(apps.flatMap(told)).toEqual([expect.stringContaining('MOVED')]), 10_000)
      for (const app of apps) await endsByItself(app)
    })

    it('joins a fleet whose Redis comes up later', async () => {
      const server = await serverForTest()
      const ended = once(server.process, 'exit')
      server.process.kill('SIGKILL')
      await ended
      const app = await appOn({ port: server.port })
      await app.prints(/ECONNREFUSED/)
      const again = await redisAgain(server)
      onTestFinished(() => again.stop())
      await app.prints(isBack)
      const { controller } = fleetOn(server.port)
      expect(await controller.list()).toMatchObject([{ id: idOf(app), service: 'shop' }])
      expect(told(app)).toHaveLength(2)
      await endsByItself(app)
    })

    it('is whole within the lease when Redis is stopped for longer, and is told of it once', async () => {
      const server = await serverForTest()
      const { app, renew } = await brokenOn(server)
      // On a busy machine the application may need more than one lease to hear of it.
      await vi.waitFor(async () => {
        expect(await renew()).toBe('renewed')
        expect(app.lines()).toContain('broken')
      })
      server.process.kill('SIGSTOP')
      await app.prints('whole')
      await app.prints(/has ended \(deadline\)/)
      await app.prints(/does not answer/)
      server.process.kill('SIGCONT')
      await app.prints(isBack)
      expect(told(app).filter((line) => line.includes('does not answer'))).toHaveLength(1)
      expect(app.lines().filter((line) => line === 'broken')).toHaveLength(1)
      await endsByItself(app)
    })

    it('is never broken, and tells once, when its answers are refused', async () => {
      const server = await serverForTest()
      const { witness } = fleetOn(server.port)
      await witness.call('ACL', 'SETUSER', 'mute', 'on', '>mutes-password', '~*', '&*', '+@all', '-hset')
      const credential = { username: 'mute', password: 'mutes-password' }
      const { app, controller, plan, renew } = await brokenOn(server, credential)
      await app.prints(/user executing the script/)
      for (let beats = 0; beats < 10; beats += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        expect(await controller.renew({ runId: plan.runId, owner: 'owner' }, 2_000, 'prepare')).toBe('renewed')
      }
      expect(told(app)).toEqual([expect.stringContaining('user executing the script')])
      expect(renew).toBeTypeOf('function')
      expect(await controller.acks(plan.runId)).toEqual(new Map())
      await endsByItself(app)
    })

    it.each(REFUSED)('works on when %s is refused', async (command) => {
      const server = await serverForTest()
      const { witness, controller } = fleetOn(server.port)
      await witness.call('ACL', 'SETUSER', 'some', 'on', '>somes-password', '~*', '&*', '+@all', `-${command}`)
      const app = await appOn({ port: server.port, username: 'some', password: 'somes-password' })
      if (['subscribe', 'publish'].includes(command))
        // What is refused is not needed.
        await vi.waitFor(async () => expect(await controller.list()).toHaveLength(1), 10_000)
      else await app.prints(/NOPERM|user executing the script/)
      expect(told(app).length).toBeLessThan(2)
      await endsByItself(app)
    })

    it('takes no more of an endless answer than of a long one', async () => {
      let sent = 0
      let connections = 0
      const port = await serverOf((socket) => {
        connections += 1
        socket.once('data', () => {
          socket.write('$536870912\r\n')
          const chunk = Buffer.alloc(65_536, 'x')
          const flood = (): void => {
            while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
            sent += chunk.length
            if (!socket.destroyed) socket.once('drain', flood)
          }
          flood()
        })
      })
      const app = await appOn({ port })
      await app.prints(/more than any answer holds/)
      await vi.waitFor(() => expect(connections).toBeGreaterThan(5), 20_000)
      // What is in the buffers of two sockets is not taken.
      expect(sent / connections).toBeLessThan(32 * MIB)
      expect(told(app)).toHaveLength(1)
      await endsByItself(app)
    })

    it('reads no more often when somebody calls thousands of times a second', async () => {
      const server = await serverForTest()
      const app = await appOn({ port: server.port })
      const { witness } = fleetOn(server.port)
      const channel = '{chaos:test}:wake'
      const listeners = async () => ((await witness.pubsub('NUMSUB', channel)) as [string, number])[1]
      await vi.waitFor(async () => expect(await listeners()).toBe(1), 10_000)
      let [isFlooding, published] = [true, 0]
      const flood = async (): Promise<void> => {
        while (isFlooding) {
          const steps = witness.pipeline()
          for (let one = 0; one < 500; one += 1) steps.publish(channel, 'x'.repeat(100))
          await steps.exec()
          published += 500
        }
      }
      const flooding = flood()
      // It stops listening, and polls.
      await vi.waitFor(async () => expect(await listeners()).toBe(0), 20_000)
      isFlooding = false
      await flooding
      expect(published).toBeGreaterThan(1_000)
      expect(told(app)).toEqual([])
      await vi.waitFor(async () => expect(await listeners()).toBe(1), 20_000)
      await endsByItself(app)
    })
  },
)
