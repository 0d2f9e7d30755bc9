import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { bindBus, type Bus } from '../seams/bus.js'
import { disconnectClient } from './disconnect-client.js'

/** A client as far as its connection goes. */
class Client {
  isUp: boolean
  cuts = 0
  connections = 0
  readonly bus: Bus

  constructor(isUp: boolean, name = 'connection') {
    this.isUp = isUp
    this.bus = bindBus({
      kind: 'a client',
      seams: {},
      connections: [
        {
          name,
          standing: () => (this.isUp ? [() => this.cut()] : []),
          attempts: (isRefused, steps) =>
            steps.patch(
              this,
              'connect',
              (below) =>
                function (this: Client): void {
                  if (!isRefused()) below.call.call(this)
                },
            ),
        },
      ],
    })
  }
  connect(): void {
    this.connections += 1
  }
  cut(): void {
    this.cuts += 1
  }
}

describe('disconnectClient', () => {
  it('cuts what stands, refuses what comes, and lets it through when it ends', async () => {
    const client = new Client(true)
    const injection = await inject(disconnectClient(), client.bus)
    expect([client.cuts, injection.affected]).toEqual([1, 1])
    client.connect()
    client.connect()
    expect([client.connections, injection.affected]).toEqual([0, 3])
    await injection.rollback()
    client.connect()
    expect([client.connections, client.cuts]).toEqual([1, 1])
  })

  it('cuts a connection that flaps every so often, and lets it come back', async () => {
    const client = new Client(true)
    const clock = manualClock()
    const injection = await inject(disconnectClient({ how: 'flapping', intervalMs: 100 }), client.bus, { clock })
    await clock.advance(250)
    client.isUp = false
    await clock.advance(100)
    expect([client.cuts, injection.seen]).toEqual([3, 3])
    client.connect()
    client.isUp = true
    await clock.advance(50)
    expect([client.cuts, client.connections]).toEqual([4, 1])
    await injection.rollback()
    await clock.advance(1_000)
    expect(client.cuts).toBe(4)
  })

  it('leaves connections alone that `only` does not name', async () => {
    const client = new Client(true, 'subscriber')
    const injection = await inject(disconnectClient(), client.bus, { only: 'publisher' })
    client.connect()
    expect([client.cuts, client.connections, injection.seen]).toEqual([0, 1, 0])
    await injection.rollback()
  })

  it('says of a bus without a connection that it has none', async () => {
    await expect(inject(disconnectClient(), new EventEmitter())).rejects.toThrow(
      /needs a connection that can be cut, and an event emitter has none/,
    )
    await expect(inject(disconnectClient(), new EventTarget())).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
  })

  it('refuses an interval without flapping, and one of nothing', () => {
    expect(() => disconnectClient({ intervalMs: 5 })).toThrow(/`intervalMs` needs `how: 'flapping'`/)
    expect(() => disconnectClient({ how: 'flapping', intervalMs: 0 })).toThrow(/at least 1/)
  })
})
