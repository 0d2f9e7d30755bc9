import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { describe, expect, it, vi } from 'vitest'
import { broken, emitNumbers, emitterContract, range } from '../../test/emitter-contract.js'
import { partitionBus, type PartitionBusOptions } from './partition-bus.js'

emitterContract(() => partitionBus({ messages: 'held' }))

describe('partitionBus', () => {
  const groups: PartitionBusOptions = { publishers: 'web-*', publisherAt: 'source', subscribers: ['billing', 'audit'] }
  async function crossings(options: PartitionBusOptions): Promise<string[]> {
    const got: string[] = []
    const { bus } = await broken(partitionBus(options))
    const listen = (name: string): void => {
      bus.on(
        'order',
        Object.defineProperty(({ source }: { source: string }) => got.push(`${source} to ${name}`), 'name', {
          value: name,
        }),
      )
    }
    for (const name of ['billing', 'audit', 'mail', 'web-2']) listen(name)
    for (const source of ['web-1', 'cron', 'billing']) bus.emit('order', { source })
    return got
  }
  const all = ['web-1', 'cron', 'billing'].flatMap((source) =>
    ['billing', 'audit', 'mail', 'web-2'].map((name) => `${source} to ${name}`),
  )

  it.each<[PartitionBusOptions['way'], string[]]>([
    ['outbound', ['web-1 to billing', 'web-1 to audit']],
    ['inbound', ['billing to web-2']],
    ['both', ['web-1 to billing', 'web-1 to audit', 'billing to web-2']],
  ])('cuts one group of publishers off from one of subscribers: %s', async (way, cut) => {
    expect(await crossings({ ...groups, way })).toEqual(all.filter((one) => !cut.includes(one)))
  })

  it('lets what it held arrive when it heals, in order, once', async () => {
    const { bus, got, injection } = await broken(partitionBus({ messages: 'held' }))
    emitNumbers(bus, 10)
    expect(got).toEqual([])
    await injection.rollback()
    expect(got).toEqual(range(10))
    expect(injection.account).toMatchObject({ sent: 10, delivered: 10, held: 0 })
  })

  it('cuts a client off one way or both', async () => {
    const { port1, port2 } = new MessageChannel()
    const listen = (port: MessagePort): unknown[] => {
      const got: unknown[] = []
      port.on('message', (message) => got.push(message))
      return got
    }
    const [here, there] = [listen(port1), listen(port2)]
    for (const way of ['outbound', 'inbound', 'both'] as const) {
      const injection = await inject(partitionBus({ way }), port1)
      port1.postMessage(`${way}: out`)
      port2.postMessage(`${way}: in`)
      const arrived = (): number => [...here, ...there].filter((message) => String(message).startsWith(way)).length
      await vi.waitFor(() => expect(injection.affected + arrived()).toBe(2))
      await injection.rollback()
    }
    expect([here, there]).toEqual([['outbound: in'], ['inbound: out']])
    port1.close()
  })

  it.each([[{ publishers: 'a' }], [{ publishers: 'a', subscribers: 'b' }], [{ publisherAt: 'x' }]])(
    'refuses half of the groups: %o',
    (options) => {
      expect(() => partitionBus(options)).toThrow('together')
    },
  )

  it('refuses groups where subscribers cannot be told', async () => {
    await expect(inject(partitionBus(groups), new EventTarget())).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
    await (await inject(partitionBus(groups), new EventEmitter())).rollback()
  })
})
