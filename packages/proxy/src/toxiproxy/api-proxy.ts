import { printable } from '@chaos/core/authoring'
import { createProxy, type ConnectionState, type Proxy, type ProxyCounters } from '../index.js'
import { ApiError, toxicNotFound } from './api-error.js'
import { ApiToxic, type ToxicSettings, type ToxicShape } from './api-toxic.js'
import { listenError, resolveListen, resolveUpstream } from './listen-address.js'
import type { ProxyChange, ProxyInput, ToxicInput } from './read-input.js'

/** A proxy as JSON. */
export interface ProxyShape {
  readonly name: string
  readonly listen: string
  readonly upstream: string
  readonly enabled: boolean
  readonly toxics: readonly ToxicShape[]
}

/** The live connections of a proxy as JSON, with what hit each of them. */
export interface ConnectionsShape {
  readonly counters: ProxyCounters
  /** What each toxic has done, by its name. */
  readonly toxics: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly connections: readonly (Omit<ConnectionState, 'hits'> & {
    /** The names of the toxics that affected it. A fault that was injected in the process appears by its id. */
    readonly hits: readonly string[]
  })[]
}

/** Toxics of the upstream come first, then those of the downstream, then those of both. */
const DIRECTIONS = ['upstream', 'downstream', 'both'] as const

/** A proxy of the API: its name, its addresses as they were given, and its toxics. */
export class ApiProxy {
  readonly name: string
  readonly proxy: Proxy
  readonly #settings: ToxicSettings
  #toxics: readonly ApiToxic[] = []
  #upstream: string
  /** Where it is to listen, as given, until it does. */
  #given: string | undefined

  private constructor({ name, listen, upstream }: ProxyInput, proxy: Proxy, settings: ToxicSettings) {
    this.name = name
    this.proxy = proxy
    this.#settings = settings
    this.#upstream = upstream
    this.#given = listen === '' ? undefined : listen
  }

  /**
   * Makes a proxy with its toxics. It does not listen yet.
   *
   * @throws ApiError 400 for an invalid address or toxic, 409 for two toxics of one name. Then nothing was made.
   */
  static async make(input: ProxyInput, settings: ToxicSettings): Promise<ApiProxy> {
    const listen = await resolveListen(input.listen)
    const proxy = await createProxy({
      name: printable(input.name).slice(0, 100),
      listen,
      upstream: resolveUpstream(input.upstream),
      enabled: false,
    })
    const made = new ApiProxy(input, proxy, settings)
    try {
      for (const toxic of input.toxics) await made.add(toxic)
    } catch (error) {
      await made.close()
      throw error
    }
    return made
  }

  get shape(): ProxyShape {
    const { enabled, listen } = this.proxy
    return {
      name: this.name,
      listen: enabled ? listen : (this.#given ?? listen),
      upstream: this.#upstream,
      enabled,
      toxics: this.toxics(),
    }
  }

  /** The toxics: those of the upstream first, each in the order in which bytes pass them. */
  toxics(): readonly ToxicShape[] {
    return DIRECTIONS.flatMap((direction) => this.#toxics.filter((toxic) => toxic.direction === direction)).map(
      ({ shape }) => shape,
    )
  }

  connections(): ConnectionsShape {
    const names = new Map(this.#toxics.map(({ id, name }) => [id, name]))
    return {
      counters: this.proxy.counters,
      toxics: Object.fromEntries(this.#toxics.map(({ name, counters }) => [name, counters])),
      connections: this.proxy
        .connections()
        .map((state) => ({ ...state, hits: state.hits.flatMap(({ id }) => names.get(id) ?? []) })),
    }
  }

  /** @throws ApiError 404 */
  toxic(name: string): ApiToxic {
    const found = this.#toxics.find((toxic) => toxic.name === name)
    if (found === undefined) throw toxicNotFound()
    return found
  }

  /** Puts a toxic in force. @throws ApiError 409 if the name is taken, 400 for an invalid attribute, 429 for one too many. */
  async add(input: ToxicInput): Promise<ToxicShape> {
    if (this.#toxics.some(({ name }) => name === input.name)) throw new ApiError(409, 'toxic already exists')
    const toxic = new ApiToxic(input, this.name, this.#settings)
    const giveBack = this.#settings.budget.take()
    const forget = (): void => {
      if (!this.#toxics.includes(toxic)) return
      this.#toxics = this.#toxics.filter((other) => other !== toxic)
      giveBack()
    }
    this.#toxics = [...this.#toxics, toxic]
    try {
      await toxic.begin(this.proxy, forget)
    } catch (error) {
      forget()
      throw error
    }
    return toxic.shape
  }

  async removeToxics(): Promise<void> {
    await Promise.all(this.#toxics.map((toxic) => toxic.end()))
  }

  /** Whether it listens or connects elsewhere than a request says. Port 0 always differs. */
  async differsFrom({ listen, upstream }: ProxyInput): Promise<boolean> {
    return upstream !== this.#upstream || this.#isElsewhere(await resolveListen(listen))
  }

  /** Listens. @throws ApiError 500 if the address is taken. */
  async enable(): Promise<void> {
    try {
      await this.proxy.enable()
    } catch (error) {
      throw listenError(error, this.proxy.listen)
    }
    this.#given = undefined
  }

  /**
   * Changes it, completely or not at all.
   *
   * @throws ApiError 400 for an invalid upstream, 500 for an address that cannot be listened at.
   */
  async update({ listen, upstream = this.#upstream, enabled = this.proxy.enabled }: ProxyChange): Promise<void> {
    const { proxy } = this
    const before = { listen: proxy.listen, upstream: proxy.upstream, enabled: proxy.enabled }
    const to = listen === undefined ? undefined : await resolveListen(listen)
    if (!enabled) await proxy.disable()
    try {
      await proxy.move({
        upstream: resolveUpstream(upstream),
        ...(to !== undefined && this.#isElsewhere(to) ? { listen: to } : {}),
      })
      if (enabled) await proxy.enable()
    } catch (error) {
      await proxy.move({ listen: before.listen, upstream: before.upstream })
      if (before.enabled) await proxy.enable()
      throw listenError(error, to ?? before.listen)
    }
    this.#upstream = upstream
    if (enabled) this.#given = undefined
    else if (to !== undefined && to !== before.listen) this.#given = listen
  }

  /** Closes its connections and its listener, and ends its toxics. */
  async close(): Promise<void> {
    await this.proxy.close()
    await this.removeToxics()
  }

  #isElsewhere(resolved: string): boolean {
    return resolved.endsWith(':0') || resolved !== this.proxy.listen
  }
}
