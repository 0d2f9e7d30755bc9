import { inject, type Fault, type Injection } from '@chaos/core'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished, vi } from 'vitest'
import type { DatagramAccount, DatagramInfo, UdpProxy, UdpProxyOptions, UdpProxyTarget } from '../src/udp/index.js'
import { createUdpProxy } from '../src/udp/index.js'

/** A socket with what it has received. */
export interface Endpoint {
  readonly socket: Socket
  readonly port: number
  readonly received: readonly string[]
  /** Resolves when it has received so many datagrams in total. */
  readonly receives: (count: number) => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

/** Opens a socket on the loopback interface. @param onDatagram Default: only receives. */
export async function openEndpoint(
  host = '127.0.0.1',
  onDatagram: (bytes: Buffer, reply: (bytes: Buffer) => void) => void = () => undefined,
): Promise<Endpoint> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const received: string[] = []
  socket.on('message', (bytes, from) => {
    received.push(bytes.toString('latin1'))
    onDatagram(bytes, (answer) => socket.send(answer, from.port, from.address))
    socket.emit('received')
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return {
    socket,
    port: socket.address().port,
    received,
    async receives(count) {
      while (received.length < count) await once(socket, 'received')
      return received
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

/** A client of a proxy. */
export interface UdpClient extends Endpoint {
  /** Sends datagrams one after the other. Resolves when the system has taken them. */
  readonly send: (...payloads: readonly (string | Buffer)[]) => Promise<void>
}

/** What a test uses, closed when it ends. */
export interface UdpScene {
  readonly server: Endpoint
  readonly proxy: UdpProxy
  readonly client: UdpClient
  readonly connect: () => Promise<UdpClient>
  /** Sends datagrams, and waits until the proxy has read them all. */
  readonly sends: (...payloads: readonly (string | Buffer)[]) => Promise<void>
}

/** Opens a client. */
export async function openClient({ host, port }: UdpProxy): Promise<UdpClient> {
  const endpoint = await openEndpoint(host)
  return {
    ...endpoint,
    async send(...payloads) {
      for (const payload of payloads) {
        await new Promise<void>((resolve, reject) =>
          endpoint.socket.send(payload, port, host, (error) => (error ? reject(error) : resolve())),
        )
      }
    },
  }
}

/** Starts a server that sends back what it gets, and a proxy before it. */
export async function startUdpScene({
  echo = true,
  ...options
}: Partial<UdpProxyOptions> & { readonly echo?: boolean } = {}): Promise<UdpScene> {
  const server = await openEndpoint('127.0.0.1', (bytes, reply) => (echo ? reply(bytes) : undefined))
  const proxy = await createUdpProxy({ upstream: `127.0.0.1:${server.port}`, ...options })
  const open: Endpoint[] = [server]
  const connect = async (): Promise<UdpClient> => {
    const client = await openClient(proxy)
    open.push(client)
    return client
  }
  onTestFinished(async () => {
    await proxy.close()
    for (const one of open) await one.close()
  })
  const client = await connect()
  return {
    server,
    proxy,
    client,
    connect,
    async sends(...payloads) {
      const before = proxy.counters.upstream.datagramsIn
      await client.send(...payloads)
      await until(() => {
        if (proxy.counters.upstream.datagramsIn < before + payloads.length) throw new Error('Not all has been read.')
      })
    },
  }
}

/** How to inject a fault. */
export type Options = NonNullable<Parameters<typeof inject>[2]>

/** Injects a fault until the test ends. */
export async function inForceOn(
  fault: Fault<UdpProxyTarget>,
  proxy: UdpProxyTarget,
  options?: Options,
): Promise<Injection> {
  const injection = await inject(fault, proxy, options)
  onTestFinished(() => injection.rollback().then(() => undefined))
  return injection
}

/** Whether the account of datagrams balances. */
export function isBalancedUdp(account: Partial<DatagramAccount>): boolean {
  const {
    datagramsIn = 0,
    datagramsDuplicated = 0,
    datagramsOut = 0,
    datagramsDropped = 0,
    datagramsHeld = 0,
  } = account
  return datagramsIn + datagramsDuplicated === datagramsOut + datagramsDropped + datagramsHeld
}

/** Waits until a check passes. */
export const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 2 })

/** What a predicate gets. */
export const infoOf = (args: ArrayLike<unknown>): DatagramInfo => args[0] as DatagramInfo
