import { ApiError, badBody, missingField } from './api-error.js'
import { Fields, kindOf } from './fields.js'
import { assertToxicType, type ToxicStream } from './toxic-types.js'

/** A proxy as a request describes it. */
export interface ProxyInput {
  readonly name: string
  readonly listen: string
  readonly upstream: string
  readonly enabled: boolean
  /** Toxics to put in force before it listens. */
  readonly toxics: readonly ToxicInput[]
}

/** What a request changes of a proxy. `undefined`: it stays. */
export interface ProxyChange {
  readonly listen: string | undefined
  readonly upstream: string | undefined
  readonly enabled: boolean | undefined
}

/** A toxic as a request describes it. */
export interface ToxicInput {
  readonly name: string
  readonly type: string
  /** The stream as it was sent: `DownStream`. */
  readonly stream: string
  readonly direction: ToxicStream
  readonly toxicity: number
  readonly attributes: Fields
  /** When the toxic ends by itself, in ms. `undefined`: not stated. */
  readonly leaseMs: number | undefined
  /** The seed of its decisions. `undefined`: that of the server. */
  readonly seed: string | undefined
  /** How many connections it affects before it ends. `undefined`: all. */
  readonly limit: number | undefined
  /** Addresses, or globs of addresses, of the clients that it may affect. `undefined`: all. */
  readonly only: readonly string[] | undefined
}

/** What a request changes of a toxic. */
export interface ToxicChange {
  readonly toxicity: number | undefined
  readonly attributes: Fields
}

/** The most proxies, and the most toxics of a proxy, in one request. */
const MAX_ITEMS = 1_000
/** The most characters of a name or an address. */
const MAX_TEXT = 1_000

/** @throws ApiError 400 for an invalid proxy, or one of its toxics. */
export function readProxy(body: unknown): ProxyInput {
  const fields = new Fields(body, 'Proxy')
  return proxyOf(fields, '')
}

/** Reads a list of proxies. All are checked before any is returned. @throws ApiError 400 */
export function readProxies(body: unknown): readonly ProxyInput[] {
  if (body !== null && !Array.isArray(body))
    throw badBody(`json: cannot unmarshal ${kindOf(body)} into Go value of type []Proxy`)
  const items: readonly unknown[] = body ?? []
  assertFew(items, 'proxies')
  return items.map((item) => new Fields(item, 'Proxy')).map((fields, at) => proxyOf(fields, ` at proxy ${at + 1}`))
}

/** @throws ApiError 400 */
export function readProxyChange(body: unknown): ProxyChange {
  const fields = new Fields(body, 'Proxy')
  text(fields, 'name', 'Proxy')
  const upstream = text(fields, 'upstream', 'Proxy')
  // Toxiproxy takes it, and from then on closes every connection.
  if (upstream === '') throw missingField('upstream')
  return {
    listen: text(fields, 'listen', 'Proxy'),
    upstream,
    enabled: fields.get('enabled', 'bool'),
  }
}

/** @throws ApiError 400 */
export function readToxic(body: unknown): ToxicInput {
  const fields = new Fields(body, 'ToxicWrapper')
  const type = text(fields, 'type', 'ToxicWrapper') ?? ''
  const name = text(fields, 'name', 'ToxicWrapper') ?? ''
  const stream = text(fields, 'stream', 'ToxicWrapper') ?? 'downstream'
  const toxicity = fields.get('toxicity', 'float32') ?? 1
  const leaseMs = fields.get('leaseMs', 'int64')
  const seed = fields.any('seed')
  if (seed !== undefined && typeof seed !== 'string' && typeof seed !== 'number') throw badSeed(seed)
  const direction = stream.toLowerCase()
  if (!isStream(direction)) throw new ApiError(400, 'stream was invalid, can be either upstream or downstream')
  assertToxicType(type)
  return {
    name: name === '' ? `${type}_${stream}` : name,
    type,
    stream,
    direction,
    toxicity,
    attributes: new Fields(fields.any('attributes'), 'attributes'),
    leaseMs,
    seed: seed === undefined ? undefined : String(seed).slice(0, MAX_SEED),
    limit: limitOf(fields),
    only: clientsOf(fields),
  }
}

/** @throws ApiError 400 */
export function readToxicChange(body: unknown): ToxicChange {
  const fields = new Fields(body, 'ToxicWrapper')
  return {
    toxicity: fields.get('toxicity', 'float32'),
    attributes: new Fields(fields.any('attributes'), 'attributes'),
  }
}

/** @param where Says which proxy of a list it is. */
function proxyOf(fields: Fields, where: string): ProxyInput {
  const [name, listen, upstream] = ['name', 'listen', 'upstream'].map((field) => text(fields, field, 'Proxy') ?? '')
  const enabled = fields.get('enabled', 'bool') ?? true
  if (!name) throw missingField(`name${where}`)
  if (!upstream) throw missingField(`upstream${where}`)
  return { name, listen: listen ?? '', upstream, enabled, toxics: toxicsOf(fields) }
}

function toxicsOf(fields: Fields): readonly ToxicInput[] {
  const toxics: unknown = fields.any('toxics') ?? []
  if (!Array.isArray(toxics))
    throw badBody(`json: cannot unmarshal ${kindOf(toxics)} into Go struct field Proxy.toxics of type []Toxic`)
  assertFew(toxics, 'toxics')
  return toxics.map(readToxic)
}

function limitOf(fields: Fields): number | undefined {
  const limit = fields.get('limit', 'int64')
  if (limit !== undefined && limit < 1) throw new ApiError(400, `invalid limit: expected at least 1, got ${limit}`)
  return limit
}

/** An address, or a list of addresses. */
function clientsOf(fields: Fields): readonly string[] | undefined {
  const only = fields.any('only')
  if (only === undefined) return undefined
  const clients: readonly unknown[] = Array.isArray(only) ? only : [only]
  assertFew(clients, 'addresses in only')
  return clients.map((client) => {
    if (typeof client === 'string' && client !== '' && client.length <= MAX_TEXT) return client
    throw new ApiError(400, 'invalid only: expected addresses of clients, or globs such as 10.0.*')
  })
}

function text(fields: Fields, name: string, of: string): string | undefined {
  const value = fields.get(name, 'string')
  if (value !== undefined && value.length > MAX_TEXT)
    throw badBody(`${of}.${name} is longer than ${MAX_TEXT} characters`)
  return value
}

function assertFew(items: readonly unknown[], what: string): void {
  if (items.length > MAX_ITEMS) throw badBody(`more than ${MAX_ITEMS} ${what}`)
}

const MAX_SEED = 200
const badSeed = (seed: unknown): ApiError =>
  badBody(`json: cannot unmarshal ${kindOf(seed)} into Go struct field ToxicWrapper.seed of type string`)
const isStream = (stream: string): stream is ToxicStream => ['upstream', 'downstream', 'both'].includes(stream)
