import { inject, injectedBy, withFault } from '@chaos/core'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { listen } from '../../../test/tcp.js'
import { hangConnections } from './hang-connections.js'

describe('hangConnections', () => {
  it('lets a driver hear the timeout of its own, made by itself', async () => {
    const { Redis } = await import('ioredis')
    const { port } = await listen()
    await withFault(hangConnections(), net, { only: `*:${port}` }, async (injection) => {
      const client = new Redis({
        port,
        host: '127.0.0.1',
        connectTimeout: 20,
        retryStrategy: () => null,
        lazyConnect: true,
      })
      client.on('error', () => undefined)
      const [error] = (
        await Promise.all([
          once(client, 'error').catch((reason: unknown) => [reason]),
          client.connect().catch(() => undefined),
        ])
      )[0] as [Error]
      expect(describeError(error)).toMatchObject({
        class: 'Error',
        message: 'connect ETIMEDOUT',
        values: { code: 'ETIMEDOUT', errorno: 'ETIMEDOUT', syscall: 'connect' },
      })
      expect(injectedBy(error), 'the driver made it').toBeUndefined()
      expect([injection.affected, injection.held]).toEqual([1, 0])
    })
  })

  it('connects what still hangs when it ends', async () => {
    const { port } = await listen()
    const injection = await inject(hangConnections(), net, { only: `*:${port}` })
    const socket = net.connect(port, '127.0.0.1')
    const connects = once(socket, 'connect')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await injection.rollback()
    await connects
    socket.destroy()
  })

  it('calls no stub of `net.connect` for itself', async () => {
    const stub = vi.spyOn(net, 'connect').mockReturnValue(new net.Socket())
    onTestFinished(() => stub.mockRestore())
    await (await inject(hangConnections(), net)).rollback()
    expect(stub).not.toHaveBeenCalled()
  })

  it('takes no options', () => {
    expect(() => hangConnections({ delayMs: 5 })).toThrow(
      'Unknown option "delayMs" of adapter/hang-connections. Known: none.',
    )
  })
})
