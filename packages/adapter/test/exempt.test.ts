import { injectedBy, withFault, type Fault } from '@chaos/core'
import { exempt } from '@chaos/core/authoring'
import { hasPrograms, ownRedis } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import dns from 'node:dns'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hangCalls, refuseCalls } from '../src/calls/index.js'
import { failLookups } from '../src/dns/index.js'
import { bindIoredis } from '../src/drivers/ioredis/index.js'
import {
  cutConnections,
  cutResponses,
  hangConnections,
  refuseConnections,
  slowResponses,
  type NetModule,
} from '../src/net/index.js'
import { failHandshakes } from '../src/tls/index.js'
import { makeCertificates } from './certificates.js'
import { rejection } from './rejection.js'

/** Starts a server that answers each piece with the same bytes. */
async function echo(at: {
  readonly path?: string
  readonly port?: number
  readonly host?: string
}): Promise<net.Server> {
  const server = net.createServer((socket) => void socket.on('error', () => undefined).pipe(socket))
  await once(server.listen(at), 'listening')
  onTestFinished(() => void server.close())
  return server
}

function newSocket(isExempt: boolean): net.Socket {
  const socket = new net.Socket()
  onTestFinished(() => void socket.destroy())
  return isExempt ? exempt(socket) : socket
}

async function echoed(socket: net.Socket, text: string): Promise<string> {
  socket.write(text)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return String(answer)
}

const places = {
  'a port': async () => ({
    host: '127.0.0.1',
    port: ((await echo({ port: 0, host: '127.0.0.1' })).address() as net.AddressInfo).port,
  }),
  'a path': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-exempt-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    await echo({ path: join(folder, 'socket') })
    return { path: join(folder, 'socket') }
  },
}

describe.each(Object.entries(places))('an exempt socket at %s', (_place, listen) => {
  const outages: readonly [string, Fault<NetModule>][] = [
    ['refuseConnections', refuseConnections()],
    ['hangConnections', hangConnections()],
    ['slowResponses', slowResponses({ delayMs: 60_000 })],
    ['cutResponses', cutResponses()],
  ]
  it.each(outages)('connects and reads during %s', async (_name, fault) => {
    const place = await listen()
    await withFault(fault, net, async (injection) => {
      const socket = newSocket(true).connect(place)
      await once(socket, 'connect')
      expect(await echoed(socket, 'hello')).toBe('hello')
      expect(injection.seen).toBe(0)
      // The fault is in force: a socket that is not exempt meets it.
      newSocket(false)
        .on('error', () => undefined)
        .on('connect', function (this: net.Socket) {
          this.write('hello')
        })
        .connect(place)
      await expect.poll(() => injection.affected).toBe(1)
    })
  })

  it('stays open when connections are cut', async () => {
    const place = await listen()
    const sockets = [true, false].map((isExempt) =>
      newSocket(isExempt)
        .on('error', () => undefined)
        .connect(place),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    await withFault(
      cutConnections(),
      net,
      { only: 'path' in place ? place.path : `127.0.0.1:${place.port}` },
      (injection) => {
        expect(injection.affected).toBe(1)
      },
    )
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true])
  })
})

it('a lookup with an exempt callback is answered', async () => {
  await withFault(failLookups(), dns, async () => {
    const lookup = promisify(
      (host: string, isExempt: boolean, done: (error: Error | null, address?: string) => void) => {
        dns.lookup(host, {}, isExempt ? exempt((error, address) => done(error, address)) : (error) => done(error))
      },
    )
    expect(net.isIP((await lookup('localhost', true)) ?? '')).not.toBe(0)
    expect(injectedBy(await rejection(lookup('localhost', false)))).toBe('adapter/fail-lookups')
  })
})

it.runIf(hasPrograms('openssl'))(
  'an exempt connection completes its handshake (skipped without `openssl`)',
  async () => {
    const { own } = makeCertificates()
    const server = tls.createServer(own, (socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as net.AddressInfo
    const secured = (isExempt: boolean): tls.TLSSocket => {
      const socket = newSocket(isExempt).connect(port, '127.0.0.1')
      const secure = tls.connect({
        socket,
        ca: own.cert,
        servername: 'localhost',
        checkServerIdentity: () => undefined,
      })
      return isExempt ? exempt(secure) : secure
    }
    await withFault(failHandshakes(), tls, async (injection) => {
      await once(secured(true), 'secureConnect')
      expect(injection.seen).toBe(0)
      await rejection(once(secured(false), 'secureConnect'))
      expect(injection.affected).toBe(1)
    })
  },
)

it.runIf(hasPrograms('redis-server'))(
  'an exempt client is not of the bound class `Redis` (skipped without `redis-server`: Debian package redis-server)',
  async () => {
    const server = await ownRedis()
    onTestFinished(() => server.stop())
    const [own, other] = [exempt(new Redis(server.port)), new Redis(server.port)]
    onTestFinished(() => [own, other].forEach((client) => client.disconnect()))
    await Promise.all([own.ping(), other.ping()])
    await withFault(hangCalls(), bindIoredis(Redis), async (injection) => {
      expect(await own.set('key', 'value')).toBe('OK')
      expect(await own.multi().get('key').get('key').exec()).toEqual([
        [null, 'value'],
        [null, 'value'],
      ])
      expect(injection.seen).toBe(0)
    })
    await withFault(refuseCalls(), bindIoredis(Redis), () =>
      expect(rejection(other.get('key'))).resolves.toBeInstanceOf(Error),
    )
    expect(await own.get('key')).toBe('value')
  },
)
