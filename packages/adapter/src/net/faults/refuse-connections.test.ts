import { inject, injectedBy, withFault } from '@chaos/core'
import { freePort } from '@chaos/test-servers'
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { connected, lifeOf, listen } from '../../../test/tcp.js'
import { networkErrors } from '../../errors/network.js'
import { refuseConnections } from './refuse-connections.js'

describe('refuseConnections', () => {
  it('makes no connection of its own that an instrumentation would see', async () => {
    const connect = vi.spyOn(net.Socket.prototype, 'connect')
    onTestFinished(() => connect.mockRestore())
    await withFault(refuseConnections(), net, () => undefined)
    expect(connect).not.toHaveBeenCalled()
  })

  it('reads as the real one does, event by event and field by field, on every way to connect', async () => {
    const { port } = await listen()
    const closed = await freePort()
    const ways: ((port: number) => net.Socket)[] = [
      (to) => net.connect(to, '127.0.0.1'),
      (to) => net.connect({ port: to, host: 'localhost', family: 4 }),
      (to) => new net.Socket().connect({ port: to, host: '127.0.0.1' }),
      (to) => tls.connect({ port: to, host: '127.0.0.1' }),
      (to) =>
        net.connect({
          port: to,
          host: 'two.example',
          autoSelectFamily: true,
          lookup: (_host, _options, found) =>
            (found as (error: null, addresses: object[]) => void)(null, [
              { address: '127.0.0.1', family: 4 },
              { address: '127.0.0.2', family: 4 },
            ]),
        } as net.NetConnectOpts),
    ]
    for (const connect of ways) {
      let [error, realError]: [Error | undefined, Error | undefined] = [undefined, undefined]
      const real = await lifeOf(connect(closed).on('error', (reason) => (realError = reason)))
      const injected = await withFault(refuseConnections(), net, () =>
        lifeOf(connect(port).on('error', (reason) => (error = reason))),
      )
      expect(injected).toEqual(real)
      expect(injected.length).toBeGreaterThan(1)
      expect(injectedBy(error)).toBe('adapter/refuse-connections')
      expect(injectedBy(realError)).toBeUndefined()
    }
  })

  it.each(['net/econnrefused', 'net/etimedout', 'net/ehostunreach'] as const)(
    'makes %s, the error that the preset of that name describes',
    async (error) => {
      const { port, accepted } = await listen()
      await withFault(refuseConnections({ error }), net, async () => {
        const socket = net.connect(port, '127.0.0.1')
        const [injected] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [Error]
        expect(describeError(injected)).toEqual(describeError(networkErrors[error]({ host: '127.0.0.1', port })))
      })
      expect(accepted).toHaveLength(0)
    },
  )

  it('leaves connections that stand alone, and all others by name', async () => {
    const [one, other] = [await listen((socket) => socket.pipe(socket)), await listen((socket) => socket.pipe(socket))]
    const standing = await connected(one.port)
    onTestFinished(() => void standing.destroy())
    await withFault(refuseConnections(), net, { only: `127.0.0.1:${one.port}` }, async (injection) => {
      standing.write('ping')
      expect(String((await once(standing, 'data'))[0])).toBe('ping')
      const open = await connected(other.port)
      open.destroy()
      await expect(once(net.connect(one.port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
      expect([injection.seen, injection.affected]).toEqual([1, 1])
    })
  })

  it('connects for real what it still holds when it ends', async () => {
    const { port } = await listen()
    const injection = await inject(refuseConnections({ afterMs: 60_000 }), net, { only: `*:${port}` })
    const socket = net.connect(port, '127.0.0.1')
    const connects = once(socket, 'connect')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    expect(socket.connecting).toBe(true)
    await injection.rollback()
    await connects
    socket.destroy()
  })

  it('holds nothing for a client that gave up', async () => {
    const { port } = await listen()
    await withFault(refuseConnections({ afterMs: 60_000 }), net, { only: `*:${port}` }, async (injection) => {
      const socket = net.connect(port, '127.0.0.1')
      await vi.waitFor(() => expect(injection.held).toBe(1))
      socket.destroy()
      await once(socket, 'close')
      expect(injection.held).toBe(0)
    })
  })
})
