import { isChaosError } from '@chaos/core'
import { builtin, messageOf } from '@chaos/core/authoring'
import importedDns from 'node:dns'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ApiError } from './api-error.js'

const dns = builtin('node:dns', importedDns)

/** Where a proxy listens that names nothing: a free port of the loopback interface. Toxiproxy takes all interfaces. */
const ANYWHERE_LOCAL = '127.0.0.1:0'

/**
 * An address as the system resolves it: `localhost` is 127.0.0.1, and `:8080` is this port of all interfaces.
 *
 * @throws ApiError 500 in Toxiproxy's words if it has no port, or an unknown host.
 */
export async function resolveListen(given: string): Promise<string> {
  if (given === '') return ANYWHERE_LOCAL
  const [, six, named, digits = ''] = /^(?:\[(.*)\]|([^:]*)):(.*)$/.exec(given) ?? []
  const host = six ?? named
  if (host === undefined) {
    const why = /[^:]:[^:]*:/.test(given) ? 'too many colons in address' : 'missing port in address'
    throw new ApiError(500, `listen tcp: address ${given}: ${why}`)
  }
  if (!/^\d{1,5}$/.test(digits) || Number(digits) > 65_535)
    throw new ApiError(500, `listen tcp: address ${digits}: invalid port`)
  return `${await resolveHost(host)}:${Number(digits)}`
}

/** The address of an upstream as the proxy dials it: without a host, it is this machine. */
export function resolveUpstream(given: string): string {
  return given.startsWith(':') ? `127.0.0.1${given}` : given
}

async function resolveHost(host: string): Promise<string> {
  if (host === '') return allInterfaces()
  if (host === 'localhost') return '127.0.0.1'
  const address = isIP(host) === 0 ? await lookup(host) : host
  return address.includes(':') ? `[${address}]` : address
}

async function lookup(host: string): Promise<string> {
  try {
    const addresses = await dns.promises.lookup(host, { all: true })
    const first = addresses.find(({ family }) => family === 4) ?? addresses[0]
    return first?.address ?? host
  } catch (error) {
    throw new ApiError(500, `listen tcp: lookup ${host}: ${messageOf(error)}`)
  }
}

function allInterfaces(): string {
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.some((one) => one?.address.includes(':')) ? '[::]' : '0.0.0.0'
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
}

/** What the API answers where a proxy could not listen. Other errors stay as they are. */
export function listenError(error: unknown, listen: string): unknown {
  if (!isChaosError(error, 'CHAOS_LISTEN_FAILED')) return error
  const { code = '' } = error.cause as NodeJS.ErrnoException
  return new ApiError(500, `listen tcp ${listen}: ${REASONS[code] ?? error.message}`)
}
