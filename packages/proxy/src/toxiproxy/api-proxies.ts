import { ChaosError } from '@chaos/core'
import { ApiError, proxyNotFound } from './api-error.js'
import { ApiProxy, type ProxyShape } from './api-proxy.js'
import type { ToxicSettings } from './api-toxic.js'
import type { ProxyChange, ProxyInput } from './read-input.js'
import { Turns } from './turns.js'

/** The most proxies of one server. */
const MAX_PROXIES = 1_000

/** All proxies of a server, by name. Changes of one proxy come one after the other; readers and other proxies never wait. */
export class ApiProxies {
  readonly #settings: ToxicSettings
  readonly #proxies = new Map<string, ApiProxy>()
  readonly #turns = new Turns()
  /** Proxies that are being made, and replace none. */
  #making = 0
  #isClosed = false

  constructor(settings: ToxicSettings) {
    this.#settings = settings
  }

  /** The proxies, sorted by name. */
  list(): readonly ApiProxy[] {
    return [...this.#proxies.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  /** @throws ApiError 404 */
  get(name: string): ApiProxy {
    const proxy = this.#proxies.get(name)
    if (proxy === undefined) throw proxyNotFound()
    return proxy
  }

  /** @throws ApiError 409 if the name is taken, 400 for an invalid toxic, 500 if the address is taken. */
  create(input: ProxyInput): Promise<ApiProxy> {
    return this.#turns.take(input.name, async () => {
      if (this.#proxies.has(input.name)) throw new ApiError(409, 'proxy already exists')
      return this.#start(input)
    })
  }

  /** Makes a proxy, or replaces one that listens or connects elsewhere. If that fails, the old one goes on. */
  put(input: ProxyInput): Promise<ApiProxy> {
    return this.#turns.take(input.name, async () => {
      const old = this.#proxies.get(input.name)
      if (old === undefined) return this.#start(input)
      if (!(await old.differsFrom(input))) return old
      const wasEnabled = old.proxy.enabled
      await old.proxy.disable()
      try {
        const made = await this.#start(input)
        await old.close()
        return made
      } catch (error) {
        if (wasEnabled) await old.enable()
        throw error
      }
    })
  }

  update(name: string, change: ProxyChange): Promise<ProxyShape> {
    return this.alone(name, async (proxy) => {
      await proxy.update(change)
      return proxy.shape
    })
  }

  remove(name: string): Promise<void> {
    return this.alone(name, async (proxy) => {
      this.#proxies.delete(name)
      await proxy.close()
    })
  }

  /** Starts every proxy and ends every toxic. Stops at the first proxy that cannot listen. */
  async reset(): Promise<void> {
    for (const { name } of this.list()) {
      await this.#turns.take(name, async () => {
        const proxy = this.#proxies.get(name)
        await proxy?.enable()
        await proxy?.removeToxics()
      })
    }
  }

  /** Closes all proxies, for good. A request that is under way makes none any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turns.idle()
    await Promise.all(this.list().map((proxy) => proxy.close()))
  }

  /** Does work on a proxy while nothing else changes it. @throws ApiError 404 if there is none when its turn comes. */
  alone<T>(name: string, work: (proxy: ApiProxy) => T | Promise<T>): Promise<T> {
    return this.#turns.take(name, () => work(this.get(name)))
  }

  /** Makes a proxy, or one in the place of another one of its name. */
  async #start(input: ProxyInput): Promise<ApiProxy> {
    this.#assertOpen()
    const isNew = !this.#proxies.has(input.name)
    if (isNew && this.#proxies.size + this.#making >= MAX_PROXIES)
      throw new ApiError(429, `there are ${MAX_PROXIES} proxies, which is the maximum; delete some first`)
    if (isNew) this.#making += 1
    try {
      const made = await started(input, this.#settings)
      this.#proxies.set(input.name, made)
      return made
    } finally {
      if (isNew) this.#making -= 1
    }
  }

  #assertOpen(): void {
    if (this.#isClosed)
      throw new ChaosError(
        'CHAOS_PROXY_CLOSED',
        "The server of Toxiproxy's API is closed. Start another one with `startToxiproxy`.",
      )
  }
}

async function started(input: ProxyInput, settings: ToxicSettings): Promise<ApiProxy> {
  const made = await ApiProxy.make(input, settings)
  try {
    if (input.enabled) await made.enable()
  } catch (error) {
    await made.close()
    throw error
  }
  return made
}
