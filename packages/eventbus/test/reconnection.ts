import { inject, injectedBy, type Injection } from '@chaos/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { BusTarget } from '../src/in-process/bus-target.js'
import { disconnectClient } from '../src/faults/disconnect-client.js'

/** A client that runs, with one subscription, for the cases of {@link reconnection}. */
export interface RunningClient {
  readonly target: BusTarget
  /** Publishes; it may fail while the client is away. */
  readonly publish: (text: string) => unknown
  /** What the subscriber got so far. */
  readonly got: readonly string[]
  /** Errors that the client has reported, where they are those of its socket. */
  readonly errors?: readonly unknown[]
  /** Whether its connections stand. */
  readonly isUp: () => boolean
  /** What a fault replaces while it is in force. */
  readonly replaced: () => readonly unknown[]
}

/** Cuts a real client off from its real server, twice: subscriptions come back, messages flow again. */
export function reconnection(make: () => Promise<RunningClient>): void {
  it('is cut off until the fault ends, and then comes back by itself with its subscriptions', async () => {
    const client = await make()
    await flows(client, 'before')
    const before = client.replaced()
    const injection = await armed(client, disconnectClient())
    await vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(4))
    expect(client.replaced()).not.toEqual(before)
    await injection.rollback()
    for (const [index, value] of client.replaced().entries()) expect(value).toBe(before[index])
    await vi.waitFor(() => expect(client.isUp()).toBe(true))
    await flows(client, 'after')
    for (const error of client.errors ?? [])
      expect([injectedBy(error), String(error)]).toEqual([
        'eventbus/disconnect-client',
        expect.stringMatching(/ECONNRE/),
      ])
  })

  it('comes back between the cuts of a connection that flaps', async () => {
    const client = await make()
    const injection = await armed(client, disconnectClient({ how: 'flapping', intervalMs: 20 }), 3)
    await injection.done
    expect(injection.affected).toBe(3)
    await vi.waitFor(() => expect(client.isUp()).toBe(true))
    await flows(client, 'after')
  })
}

async function armed(
  { target }: RunningClient,
  fault: ReturnType<typeof disconnectClient>,
  limit?: number,
): Promise<Injection> {
  const injection = await inject(fault, target, limit === undefined ? {} : { limit })
  onTestFinished(async () => {
    await injection.rollback()
  })
  return injection
}

/** What is published while a subscription is on its way back is lost, as publish/subscribe is: it is sent until it arrives. */
async function flows({ publish, got }: RunningClient, text: string): Promise<void> {
  await vi.waitFor(async () => {
    await publish(text)
    expect(got).toContain(text)
  })
}
