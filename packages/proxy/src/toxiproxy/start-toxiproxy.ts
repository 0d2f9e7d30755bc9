import type { Proxy } from '../index.js'
import { checkOptions, controllerRefusal, option, optionsSchema } from '@chaos/core/authoring'
import { randomBytes } from 'node:crypto'
import { ApiProxies } from './api-proxies.js'
import type { ApiProxy, ProxyShape } from './api-proxy.js'
import { serveApi } from './api-server.js'
import type { ToxicShape } from './api-toxic.js'
import { ToxicBudget } from './toxic-budget.js'
import { readProxies, readProxy, readProxyChange, readToxic, readToxicChange } from './read-input.js'

/** How to start a server of Toxiproxy's API. */
export interface ToxiproxyOptions {
  /** The host to listen on. Default `127.0.0.1`. Whoever reaches the API controls the proxies: it has no password. */
  readonly host?: string | undefined
  /** The port to listen on. Default 0, a free port. */
  readonly port?: number | undefined
  /** The seed of all decisions of toxics. Default: a random one. */
  readonly seed?: string | undefined
  /** The longest lease of a toxic, and that of toxics that name none, in ms. Default: those last as long as their proxy. */
  readonly maxLeaseMs?: number | undefined
  /** The most toxics in force at a time. Further ones are answered with 429. Default: no limit of this server's own. */
  readonly maxToxics?: number | undefined
  /** Whether `GET /metrics` shows the bytes of each proxy. Default `false`. */
  readonly proxyMetrics?: boolean | undefined
  /** Whether `GET /metrics` shows memory and time of the process. Default `false`. */
  readonly runtimeMetrics?: boolean | undefined
  /** Proxies to begin with, as `POST /populate` takes them. */
  readonly proxies?: readonly ProxyBody[] | undefined
}

/** A toxic to make, as the API takes it. */
export interface ToxicBody {
  /** Default `<type>_<stream>`. */
  readonly name?: string
  /** Such as `latency`. */
  readonly type: string
  /** Default `downstream`. */
  readonly stream?: string
  /** The share of the connections to affect, 0 to 1. Default 1. */
  readonly toxicity?: number
  readonly attributes?: Readonly<Record<string, number>>
  /** When it ends by itself, in ms. Default: with its proxy. */
  readonly leaseMs?: number
  /** Default: that of the server. */
  readonly seed?: string | number
  /** How many connections it affects before it ends by itself. Default: all. */
  readonly limit?: number
  /** Addresses of the clients that it may affect, or globs of them: `10.0.*`. Default: all. */
  readonly only?: string | readonly string[]
}

/** A proxy to make, as the API takes it. */
export interface ProxyBody {
  readonly name: string
  /** The server: `host:port`. */
  readonly upstream: string
  /** Default: a free port of the loopback interface. */
  readonly listen?: string
  /** Default `true`. */
  readonly enabled?: boolean
  /** Toxics that are in force before the first connection. */
  readonly toxics?: readonly ToxicBody[]
}

/** A toxic in force. */
export interface ToxicInstance extends ToxicShape {
  /** Changes attributes or toxicity, completely or not at all. */
  update(change: Pick<ToxicBody, 'attributes' | 'toxicity'>): Promise<ToxicInstance>
  remove(): Promise<void>
}

/** A proxy of the server, as clients of Toxiproxy show it. */
export interface ProxyInstance extends ProxyShape {
  addToxic(body: ToxicBody): Promise<ToxicInstance>
  update(change: Partial<Pick<ProxyBody, 'listen' | 'upstream' | 'enabled'>>): Promise<ProxyInstance>
  /** Closes it, and ends its toxics. */
  remove(): Promise<void>
}

/** A proxy of {@link Toxiproxy.createProxy}. */
export interface CreatedProxy {
  readonly name: string
  /** Where clients connect. */
  readonly host: string
  readonly port: number
  readonly instance: ProxyInstance
  /** The same proxy as a target of the faults of `@chaos/proxy`. */
  readonly proxy: Proxy
  /** Listens, or refuses clients and closes live connections. */
  setEnabled(enabled: boolean): Promise<ProxyInstance>
}

/** A server of Toxiproxy's API within this process. */
export interface Toxiproxy extends AsyncDisposable {
  /** The address of the API, for clients of Toxiproxy: `http://127.0.0.1:8474`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** The seed of all decisions of toxics, to repeat a run. */
  readonly seed: string
  /** Makes a proxy. Fails as the API does. */
  createProxy(body: ProxyBody): Promise<CreatedProxy>
  /** Starts all proxies and removes all toxics. */
  reset(): Promise<void>
  /** Closes the API and all proxies, and ends all toxics. */
  close(): Promise<void>
}

const schema = optionsSchema({
  host: option.optional(option.text('The host to listen on.', 253), '127.0.0.1'),
  port: option.optional(option.count('The port to listen on.', 0, 65_535), 0),
  seed: option.optional(option.text('The seed of all decisions of toxics.', 200)),
  maxLeaseMs: option.optional(option.durationMs('The longest lease of a toxic.')),
  maxToxics: option.optional(option.count('The most toxics in force at a time.')),
  proxyMetrics: option.optional(option.flag('Whether to show the bytes of each proxy.'), false),
  runtimeMetrics: option.optional(option.flag('Whether to show memory and time of the process.'), false),
  proxies: option.optional(option.live<readonly ProxyBody[]>(Array.isArray, 'a list of proxies', 'Proxies.')),
})

/**
 * Starts a server of Toxiproxy's HTTP API in this process, so that its clients need no container.
 *
 * A toxic that is made through it has no lease unless `leaseMs` or `maxLeaseMs` gives one: it ends with its proxy, at the
 * latest with the process.
 *
 * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken, `CHAOS_INVALID_OPTION` for an invalid option,
 *   `CHAOS_DISABLED` if `CHAOS_DISABLED` is set, `CHAOS_ENVIRONMENT_REFUSED` under `NODE_ENV=production`.
 */
export async function startToxiproxy(options: ToxiproxyOptions = {}): Promise<Toxiproxy> {
  const checked = checkOptions(schema, options, 'startToxiproxy')
  const { seed = randomBytes(8).toString('hex'), maxLeaseMs, maxToxics, proxyMetrics, runtimeMetrics } = checked
  assertAllowed()
  const proxies = new ApiProxies({ seed, maxLeaseMs, budget: new ToxicBudget(maxToxics) })
  const metrics = { proxy: proxyMetrics, runtime: runtimeMetrics }
  const server = await serveApi(proxies, metrics, checked)
  const close = async (): Promise<void> => {
    await server.close()
    await proxies.close()
  }
  try {
    for (const input of readProxies(checked.proxies ?? null)) await proxies.put(input)
  } catch (error) {
    await close()
    throw error
  }
  const { address: host, port } = server.address
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    host,
    port,
    seed,
    createProxy: async (body) => createdProxy(await proxies.create(readProxy(body)), proxies),
    reset: () => proxies.reset(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Only what is off everywhere is refused: a process without an environment may inject faults, as `inject` itself does. */
function assertAllowed(): void {
  const { NODE_ENV: named = '' } = process.env
  const environment = named === '' ? 'development' : named
  const refusal = controllerRefusal(environment, [environment])
  if (refusal !== undefined) throw refusal
}

function createdProxy(made: ApiProxy, proxies: ApiProxies): CreatedProxy {
  const { name, proxy } = made
  const { host, port } = proxy
  return {
    name,
    host,
    port,
    proxy,
    instance: proxyInstance(made, proxies),
    setEnabled: (enabled) => proxyInstance(made, proxies).update({ enabled }),
  }
}

function proxyInstance(made: ApiProxy, proxies: ApiProxies): ProxyInstance {
  const { name } = made
  return {
    ...made.shape,
    async addToxic(body) {
      const input = readToxic(body)
      return toxicInstance(await proxies.alone(name, (found) => found.add(input)), name, proxies)
    },
    async update(change) {
      await proxies.update(name, readProxyChange(change))
      return proxyInstance(made, proxies)
    },
    remove: () => proxies.remove(name),
  }
}

function toxicInstance(shape: ToxicShape, of: string, proxies: ApiProxies): ToxicInstance {
  return {
    ...shape,
    update: (change) =>
      proxies.alone(of, (found) => {
        const toxic = found.toxic(shape.name)
        toxic.update(found.proxy, readToxicChange(change))
        return toxicInstance(toxic.shape, of, proxies)
      }),
    remove: () => proxies.alone(of, (found) => found.toxic(shape.name).end()),
  }
}
