import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listen } from '../../../test/tcp.js'
import { delayConnections, type DelayConnectionsOptions } from './delay-connections.js'

describe('delayConnections', () => {
  it('connects when the time is up, and not before', async () => {
    const { port, accepted } = await listen()
    const clock = manualClock()
    const injection = await inject(delayConnections({ delayMs: 500 }), net, { clock, only: `*:${port}` })
    onTestFinished(() => injection.rollback().then(() => undefined))
    const socket = net.connect(port, '127.0.0.1', function (this: net.Socket) {
      this.write('ping')
    })
    const connects = once(socket, 'connect')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await clock.advance(499)
    expect([socket.connecting, accepted.length]).toEqual([true, 0])
    await clock.advance(1)
    await connects
    socket.destroy()
  })

  it('tells of a server that is down when the time is up', async () => {
    const { port } = await listen()
    const clock = manualClock()
    const injection = await inject(delayConnections({ delayMs: 500 }), net, { clock, only: '127.0.0.1:1' })
    const fails = once(net.connect(1, '127.0.0.1'), 'connect')
    await vi.waitFor(() => expect(injection.held).toBe(1))
    await Promise.all([expect(fails).rejects.toThrow('connect ECONNREFUSED 127.0.0.1:1'), clock.advance(500)])
    await injection.rollback()
    expect(port).toBeGreaterThan(1)
  })

  it.each(['its time comes', 'it is taken back'])(
    'leaves an address alone that Node.js has given up for the next one, when %s',
    async (ending) => {
      const { port, accepted } = await listen()
      const clock = manualClock()
      const injection = await inject(delayConnections({ delayMs: 500 }), net, { clock, only: `127.0.0.1:${port}` })
      const lookup: net.LookupFunction = (_host, _options, found) =>
        (found as (error: null, addresses: object[]) => void)(
          null,
          [1, 2].map((last) => ({ address: `127.0.0.${last}`, family: 4 })),
        )
      const options = { host: 'two.test', port, lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 10 }
      const socket = net.connect(options)
      // The second address is not held: nothing listens there.
      const failed = once(socket, 'error') as Promise<
        [Error & { readonly errors: readonly { readonly code: string }[] }]
      >
      await vi.waitFor(() => expect(injection.held).toBe(1))
      const [{ errors }] = await failed
      expect(errors.map(({ code }) => code)).toEqual(['ETIMEDOUT', 'ECONNREFUSED'])
      if (ending === 'its time comes') await clock.advance(500)
      await injection.rollback()
      expect(accepted).toEqual([])
    },
  )

  it.each<[DelayConnectionsOptions, string]>([
    [{ delayMs: -1 }, 'a number of ms'],
    [{ delayMs: 2 ** 31 }, 'a number of ms'],
  ])('refuses %o', (options, words) => {
    expect(() => delayConnections(options)).toThrow(words)
  })
})
