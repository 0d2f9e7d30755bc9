import type { ApiProxies } from './api-proxies.js'
import { ApiError } from './api-error.js'
import type { ApiProxy, ProxyShape } from './api-proxy.js'
import { metricsText, type MetricsSettings } from './metrics.js'
import { readProxies, readProxy, readProxyChange, readToxic, readToxicChange } from './read-input.js'

/** What a route answers: JSON, text, or nothing. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  readonly text?: string
  /** The content type of `text`. */
  readonly type?: string
}

/** What a route gets. */
interface Request {
  readonly proxies: ApiProxies
  readonly metrics: MetricsSettings
  readonly proxy: string
  readonly toxic: string
  /** Reads the body as JSON. @throws ApiError 400 */
  readonly body: () => Promise<unknown>
  /** What a list of proxies fails with, to be answered together with those that were made. */
  readonly errorAnswer: (error: unknown) => { readonly status: number; readonly error: string }
}

type Route = (request: Request) => Answer | Promise<Answer>
type Methods = Readonly<Partial<Record<string, Route>>>

/** The version of Toxiproxy whose API this is. Clients decide by it what they may ask for. */
const VERSION = '2.12.0'

const shapes = (proxies: readonly ApiProxy[]): Readonly<Record<string, ProxyShape>> =>
  Object.fromEntries(proxies.map(({ name, shape }) => [name, shape]))

const updateProxy: Route = async ({ proxies, proxy, body }) => {
  proxies.get(proxy)
  return { status: 200, json: await proxies.update(proxy, readProxyChange(await body())) }
}

const updateToxic: Route = async ({ proxies, proxy, toxic, body }) => {
  proxies.get(proxy).toxic(toxic)
  const change = readToxicChange(await body())
  return proxies.alone(proxy, (found) => {
    found.toxic(toxic).update(found.proxy, change)
    return { status: 200, json: found.toxic(toxic).shape }
  })
}

const populate: Route = async ({ proxies, body, errorAnswer }) => {
  const made: ProxyShape[] = []
  const shown = (): readonly ProxyShape[] | null => (made.length === 0 ? null : made)
  try {
    for (const input of readProxies(await body())) made.push((await proxies.put(input)).shape)
    return { status: 201, json: { proxies: shown() } }
  } catch (error) {
    const answer = errorAnswer(error)
    return { status: answer.status, json: { ...answer, proxies: shown() } }
  }
}

const ROUTES: Readonly<Record<string, Methods>> = {
  '/proxies': {
    GET: ({ proxies }) => ({ status: 200, json: shapes(proxies.list()) }),
    POST: async ({ proxies, body }) => ({
      status: 201,
      json: (await proxies.create(readProxy(await body()))).shape,
    }),
  },
  '/populate': { POST: populate },
  '/proxies/:proxy': {
    GET: ({ proxies, proxy }) => ({ status: 200, json: proxies.get(proxy).shape }),
    POST: updateProxy,
    PATCH: updateProxy,
    DELETE: async ({ proxies, proxy }) => {
      await proxies.remove(proxy)
      return { status: 204 }
    },
  },
  '/proxies/:proxy/connections': {
    GET: ({ proxies, proxy }) => ({ status: 200, json: proxies.get(proxy).connections() }),
  },
  '/proxies/:proxy/toxics': {
    GET: ({ proxies, proxy }) => ({ status: 200, json: proxies.get(proxy).toxics() }),
    POST: async ({ proxies, proxy, body }) => {
      proxies.get(proxy)
      const input = readToxic(await body())
      return proxies.alone(proxy, async (found) => ({ status: 200, json: await found.add(input) }))
    },
  },
  '/proxies/:proxy/toxics/:toxic': {
    GET: ({ proxies, proxy, toxic }) => ({ status: 200, json: proxies.get(proxy).toxic(toxic).shape }),
    POST: updateToxic,
    PATCH: updateToxic,
    DELETE: ({ proxies, proxy, toxic }) =>
      proxies.alone(proxy, async (found) => {
        await found.toxic(toxic).end()
        return { status: 204 }
      }),
  },
  '/reset': {
    POST: async ({ proxies }) => {
      await proxies.reset()
      return { status: 204 }
    },
  },
  '/version': {
    GET: () => ({ status: 200, text: `{"version": "${VERSION}"}\n`, type: 'application/json;charset=utf-8' }),
  },
  '/metrics': {
    GET: ({ proxies, metrics }) => {
      if (!metrics.proxy && !metrics.runtime) throw new ApiError(404, NOT_FOUND)
      return {
        status: 200,
        text: metricsText(proxies.list(), metrics),
        type: 'text/plain; version=0.0.4; charset=utf-8',
      }
    },
  },
}

/** What a path without a route is answered with. */
export const NOT_FOUND = '404 page not found'

/** A route that fits a path, with the parts of the path that it names. */
export interface Match {
  readonly methods: Methods
  readonly proxy: string
  readonly toxic: string
}

/**
 * Finds the route of a path. Names are decoded after the path is cut, so that they may contain `/`.
 *
 * @param path Without the query.
 */
export function matchRoute(path: string): Match | undefined {
  const parts = path.split('/')
  for (const [pattern, methods] of Object.entries(ROUTES)) {
    const names = pattern.split('/')
    const fits = names.length === parts.length && names.every((name, at) => isFit(name, parts[at] as string))
    if (!fits) continue
    const [proxy, toxic] = [':proxy', ':toxic'].map((name) => decoded(parts[names.indexOf(name)] ?? ''))
    return proxy === undefined || toxic === undefined ? undefined : { methods, proxy, toxic }
  }
  return undefined
}

const isFit = (name: string, part: string): boolean => (name.startsWith(':') ? part !== '' : name === part)

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
