import { ChaosError } from '@chaos/core'
import { unknownName } from '@chaos/core/authoring'
import { redisControllerTransport } from '../transports/redis/controller.js'
import { relayControllerTransport } from '../transports/relay/controller.js'
import { relayPathOf } from '../transports/relay/url.js'
import { PARAMETERS, type OpenTransport } from './address.js'

const redis: OpenTransport = (url, fleet, timeoutMs) =>
  redisControllerTransport({ url: withoutParameters(url), fleet, timeoutMs })
const relay: OpenTransport = (url, _fleet, timeoutMs) =>
  relayControllerTransport({ path: relayPathOf(withoutParameters(url)), timeoutMs })

/** How to reach each engine, by URL scheme. */
export const engines: Readonly<Record<string, OpenTransport>> = { redis, rediss: redis, 'fleet+unix': relay }

/** A URL that has no parameters any more. @throws ChaosError `CHAOS_INVALID_OPTION` if it has one that nobody knows */
function withoutParameters(url: string): string {
  const [unknown] = new URL(url).searchParams.keys()
  if (unknown === undefined) return url
  const tls = /^(?:tls|ssl)$/i.test(unknown) ? ' A URL with TLS begins with `rediss:`.' : ''
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `${unknownName('parameter in the URL of a fleet', unknown, PARAMETERS)}${tls}`,
  )
}
