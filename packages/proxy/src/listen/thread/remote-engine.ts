import type { ChaosError } from '@chaos/core'
import { onAbort, type Delegation } from '@chaos/core/authoring'
import type { Engine } from '../../toxics/engine.js'
import type { Toxic } from '../../toxics/toxic.js'
import { processTime } from './process-time.js'
import type { ThreadChannel } from './thread-channel.js'
import type { Report } from './thread-proxy.js'

/** Puts faults in force on a proxy in another thread, where core decides, and takes over what is reported of them. */
export class RemoteEngine implements Engine {
  readonly #channel: () => ThreadChannel
  readonly #inForce = new Map<string, Delegation>()

  constructor(channel: () => ThreadChannel) {
    this.#channel = channel
  }

  isInForce(id: string): boolean {
    return this.#inForce.has(id)
  }

  readonly add = async ({ id, fault, options, context }: Toxic): Promise<void> => {
    const channel = this.#channel()
    const extend = (leaseMs: number): void => {
      if (channel.over === undefined) channel.request('extendLease', id, leaseMs).catch(() => undefined)
    }
    const delegation = context.delegate(extend)
    const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    onAbort(context.signal, () => Atomics.store(stop, 0, 1))
    this.#inForce.set(id, delegation)
    const { how } = delegation
    await channel.request('inject', { fault, options, how, leaseEndsAt: processTime() + how.leaseMs, stop })
  }

  readonly remove = async ({ id }: Toxic): Promise<void> => {
    const channel = this.#channel()
    try {
      // A thread that is gone has left nothing in force.
      if (channel.over === undefined && this.#inForce.has(id)) await channel.request('release', id)
    } finally {
      this.#inForce.delete(id)
    }
  }

  readonly report = ({ injection, counts, hits, warnings, outcome }: Report): void => {
    const delegation = this.#inForce.get(injection)
    if (delegation === undefined) return
    delegation.count(counts)
    for (const { operation, call, at } of hits) delegation.hit({ operation, call, agoMs: processTime() - at })
    for (const warning of warnings) delegation.warn(warning)
    if (outcome !== undefined) delegation.end(outcome)
  }

  /** The thread is gone: so are all faults. */
  readonly lose = (error: ChaosError): void => {
    for (const delegation of [...this.#inForce.values()]) delegation.end('failed', [error])
  }
}
