import { ChaosError } from '@chaos/core'
import { listed, printable } from '@chaos/core/authoring'
import type { ControllerTransport } from '../transports/transport.js'
import { nonEmpty, variable } from './variables.js'

/**
 * Opens the transport of a URL scheme. The URL has none of the parameters that are those of the controller.
 *
 * @param timeoutMs The longest time of one call, in ms. Default: that of the transport.
 */
export type OpenTransport = (
  url: string,
  fleet: string,
  timeoutMs?: number,
) => ControllerTransport | Promise<ControllerTransport>

/** The parameters of a URL that are those of the controller. */
export const PARAMETERS = ['fleet', 'environment'] as const

/** A fleet, and how to reach its engine. */
export interface FleetAddress {
  readonly fleet: string
  /** `undefined`: nobody has named one. */
  readonly environment: string | undefined
  /** Makes a transport of its own. @param timeoutMs The longest time of one call, in ms. Default: that of the transport. */
  open(timeoutMs?: number): ControllerTransport | Promise<ControllerTransport>
}

/**
 * Reads the URL of a fleet: `redis://127.0.0.1:6379?fleet=shop&environment=staging`. What is not in `given` is taken from the
 * URL, else from `CHAOS_FLEET` and `CHAOS_FLEET_ENVIRONMENT`. A password that the URL has not is that of `CHAOS_FLEET_PASSWORD`.
 * Nothing is opened.
 *
 * @param transports How to reach the engine, by URL scheme without its colon.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the URL, its scheme or the fleet is missing or invalid.
 */
export function fleetAddress(
  text: string,
  transports: Readonly<Record<string, OpenTransport>>,
  given: { readonly fleet?: string | undefined; readonly environment?: string | undefined } = {},
): FleetAddress {
  const url = urlOf(text)
  const scheme = url.protocol.slice(0, -1)
  const open = Object.hasOwn(transports, scheme) ? transports[scheme] : undefined
  if (open === undefined)
    throw invalid(
      `A fleet has no URL that begins with \`${printable(scheme)}:\`. Use ${listed(Object.keys(transports))}.`,
    )
  const fleet = given.fleet ?? nonEmpty(url.searchParams.get('fleet')) ?? variable('CHAOS_FLEET')
  const environment =
    given.environment ?? nonEmpty(url.searchParams.get('environment')) ?? variable('CHAOS_FLEET_ENVIRONMENT')
  if (fleet === undefined) throw invalid('Name the fleet: `?fleet=…` in the URL, or CHAOS_FLEET in the environment.')
  for (const name of PARAMETERS) {
    if (url.searchParams.getAll(name).length > 1) throw invalid(`The URL of the fleet has \`${name}\` twice.`)
    url.searchParams.delete(name)
  }
  const password = variable('CHAOS_FLEET_PASSWORD')
  // The setter leaves `%` as it is, and does nothing to a URL without a host.
  if (password !== undefined && url.password === '') url.password = encodeURIComponent(password)
  return { fleet, environment, open: (timeoutMs) => open(url.href, fleet, timeoutMs) }
}

function urlOf(text: string): URL {
  try {
    return new URL(text)
  } catch (error) {
    // The text may hold a password, so the message does not.
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'The address of the fleet is not a URL. Write `redis://127.0.0.1:6379?fleet=shop&environment=staging`.',
      { cause: error },
    )
  }
}

const invalid = (message: string): ChaosError => new ChaosError('CHAOS_INVALID_OPTION', message)
