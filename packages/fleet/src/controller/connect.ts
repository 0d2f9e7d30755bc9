import { ChaosError } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { fleetAddress, type FleetAddress, type OpenTransport } from './address.js'
import { fleetController, type FleetController, type FleetControllerOptions } from './fleet-controller.js'
import { journalFile } from './journal.js'
import { fromFile, keyOfVariables, policyOfVariables, variable, whoRunsIt } from './variables.js'

/** Options of a connection. Each overrides the URL, and the URL the variables of the environment. */
export type ConnectFleetOptions = Partial<Omit<FleetControllerOptions, 'transport'>>

/** Connects to a fleet by its URL. */
export type ConnectFleet = (url: string, options?: ConnectFleetOptions) => Promise<FleetController>

/**
 * Makes the function that connects to a fleet: `redis://127.0.0.1:6379?fleet=shop&environment=staging`.
 *
 * What is not in the options is taken from the URL (`fleet`, `environment`), else from variables of the environment:
 *
 * - `CHAOS_FLEET` and `CHAOS_FLEET_ENVIRONMENT`: the fleet, and the environment in it.
 * - `CHAOS_FLEET_PASSWORD`: the password, so that it is not among the arguments of a command, which every user of a machine can read.
 * - `CHAOS_FLEET_KEY`: the file with the private key that signs plans.
 * - `CHAOS_FLEET_POLICY`: a JSON file with the policy. Default: none.
 * - `CHAOS_FLEET_JOURNAL`: the file that the journal is appended to. Default: none.
 * - `CHAOS_FLEET_REASON`: why, for the audit log.
 *
 * The function throws ChaosError `CHAOS_INVALID_OPTION` if the URL, its scheme or an option is missing or invalid,
 * `CHAOS_FLEET_KEY_REFUSED` or `CHAOS_FLEET_JOURNAL_BROKEN` if a file cannot be used, and the errors of the transport.
 *
 * @param transports How to reach the engine, by URL scheme without its colon.
 */
export function fleetConnector(transports: Readonly<Record<string, OpenTransport>>): ConnectFleet {
  return async (text, options = {}) => connectTo(fleetAddress(text, transports, options), options)
}

/** Connects to a fleet. What is not in the options is taken from the variables of the environment. */
export async function connectTo(address: FleetAddress, options: ConnectFleetOptions): Promise<FleetController> {
  const { fleet } = address
  const environment = environmentOf(address)
  const clock = options.clock ?? systemClock
  const settings = {
    ...options,
    fleet,
    environment,
    key: options.key ?? keyOfVariables(),
    clock,
    policy: options.policy ?? policyOfVariables(),
    journal: options.journal ?? fromFile('CHAOS_FLEET_JOURNAL', (path) => journalFile(path, clock)),
    by: options.by ?? whoRunsIt(),
    reason: options.reason ?? variable('CHAOS_FLEET_REASON'),
  }
  // Opened last: nothing that fails before has to be closed again.
  return fleetController({ ...settings, transport: await address.open() })
}

/** The environment of a fleet. @throws ChaosError `CHAOS_INVALID_OPTION` if nobody has named one */
export function environmentOf({ environment }: FleetAddress): string {
  if (environment !== undefined) return environment
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    'Name the environment of the fleet: `?environment=…` in the URL, or CHAOS_FLEET_ENVIRONMENT in the environment.',
  )
}
