import type { Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { connectTo, startUpstream, type Client, type Upstream } from '../tcp.js'
import type { Answer, Api } from './server.js'

/** A proxy as the API answers it. */
export interface ProxyJson {
  readonly name: string
  readonly listen: string
  readonly upstream: string
  readonly enabled: boolean
  readonly toxics: readonly ToxicJson[]
}

/** A toxic as the API answers it. */
interface ToxicJson {
  readonly name: string
  readonly type: string
  readonly stream: string
  readonly toxicity: number
  readonly attributes: Readonly<Record<string, number>>
}

let names = 0

/** A name that no other proxy has. */
export const newName = (): string => `suite-${process.pid}-${(names += 1)}`

/** Makes a proxy, which the end of the test deletes. */
export async function makeProxy(api: Api, fields: Readonly<Record<string, unknown>> = {}): Promise<ProxyJson> {
  const name = newName()
  const answer = await api.call('POST', '/proxies', {
    name,
    listen: '127.0.0.1:0',
    upstream: '127.0.0.1:1',
    ...fields,
  })
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
  const proxy = answer.json() as ProxyJson
  deletedAtEnd(api, proxy.name)
  return proxy
}

/** Deletes a proxy when the test ends, if it is still there. */
export function deletedAtEnd(api: Api, name: string): void {
  onTestFinished(async () => {
    await api.call('DELETE', `/proxies/${encodeURIComponent(name)}`)
  })
}

/** Starts a server which the end of the test closes. @param onConnection Default: sends back what it gets. */
export async function makeUpstream(onConnection?: (socket: Socket) => void): Promise<Upstream> {
  const upstream = await startUpstream(onConnection)
  onTestFinished(() => upstream.close())
  return upstream
}

/** A server, and a proxy before it. */
export interface Scene {
  readonly upstream: Upstream
  readonly proxy: ProxyJson
  /** The path of the proxy in the API. */
  readonly path: string
  /** Connects a client to the proxy. */
  readonly connect: () => Promise<Client>
  /** Adds a toxic, which the server must accept. */
  readonly add: (toxic: Readonly<Record<string, unknown>>) => Promise<ToxicJson>
  /** Sends a request to the path of the proxy. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<Answer>
}

/** Starts a server and a proxy before it, which the end of the test closes. */
export async function startScene(api: Api, onConnection?: (socket: Socket) => void): Promise<Scene> {
  const upstream = await makeUpstream(onConnection)
  const proxy = await makeProxy(api, { upstream: upstream.address })
  const path = `/proxies/${proxy.name}`
  return {
    upstream,
    proxy,
    path,
    connect: () => connectClient(proxy),
    async add(toxic) {
      const answer = await api.call('POST', `${path}/toxics`, toxic)
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
      return answer.json() as ToxicJson
    },
    call: (method, below, body) => api.call(method, `${path}${below}`, body),
  }
}

/** Connects a client to a proxy; the end of the test destroys it. */
export async function connectClient({ listen }: Pick<ProxyJson, 'listen'>): Promise<Client> {
  const client = await connectTo(portOf(listen))
  onTestFinished(() => void client.socket.destroy())
  return client
}

/** The port of an address `host:port`. */
export const portOf = (listen: string): number => Number(listen.slice(listen.lastIndexOf(':') + 1))
