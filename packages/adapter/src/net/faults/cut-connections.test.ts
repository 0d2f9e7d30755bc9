import { inject, injectedBy } from '@chaos/core'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect, it } from 'vitest'
import { connected, lifeOf, listen } from '../../../test/tcp.js'
import { cutConnections } from './cut-connections.js'

describe('cutConnections', () => {
  it.each([
    ['reset', (socket: net.Socket): void => void socket.resetAndDestroy()],
    ['end', (socket: net.Socket): void => void socket.destroy()],
  ] as const)('%s reads as the real one does, event by event', async (how, cut) => {
    const { port, accepted } = await listen()
    const outage = async (outage: () => unknown): Promise<readonly string[]> => {
      const socket = await connected(port)
      const life = lifeOf(socket)
      await outage()
      return life
    }
    const real = await outage(() => cut(accepted.at(-1) as net.Socket))
    const injected = await outage(() => inject(cutConnections({ how }), net, { only: `*:${port}` }))
    expect(injected).toEqual(real)
    expect(injected.length).toBeGreaterThan(0)
  })

  it('cuts those that `only` names, says which, and marks the error', async () => {
    const [one, other] = [await listen(), await listen()]
    const [cut, spared] = [await connected(one.port), await connected(other.port)]
    const fails = once(cut, 'error').catch((reason: unknown) => [reason])
    const injection = await inject(cutConnections(), net, { only: `127.0.0.1:${one.port}` })
    expect(injection.evidence).toEqual([{ peer: `127.0.0.1:${one.port}`, how: 'reset' }])
    expect([injection.seen, injection.affected]).toEqual([1, 1])
    const [error] = (await fails) as [Error]
    expect(injectedBy(error)).toBe('adapter/cut-connections')
    expect(spared.destroyed).toBe(false)
    spared.destroy()
  })

  it("leaves the server's own side alone", async () => {
    const { port, accepted } = await listen()
    const client = await connected(port)
    const before = accepted.length
    await inject(cutConnections(), net, { only: `127.0.0.1:${client.localPort ?? 0}` })
    expect(before).toBe(1)
    expect([client.destroyed, accepted[0]?.destroyed]).toEqual([false, false])
    client.destroy()
  })
})
