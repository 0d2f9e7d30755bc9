import { fleetAddress, type FleetAddress } from '../../controller/address.js'
import { engines } from '../../controller/engines.js'
import { variable } from '../../controller/variables.js'
import type { ControllerTransport } from '../../transports/transport.js'
import { usage, type Arguments } from './arguments.js'

/** The fleet that a command is for. @throws ChaosError `CHAOS_INVALID_OPTION` if none is named */
export function fleetOf(args: Arguments): FleetAddress {
  const url = args.text('on') ?? variable('CHAOS_FLEET_URL')
  if (url === undefined)
    throw usage(
      'Name the fleet: `--on redis://host:6379?fleet=shop`, or CHAOS_FLEET_URL in the environment, which keeps a password off the command line.',
    )
  return fleetAddress(url, engines)
}

/** The longest time of one call, in ms. Nothing waits for it but a person, perhaps at a busy machine. */
const TIMEOUT_MS = 10_000

/** Does something with the engine of a fleet, and disconnects. */
export async function withTransport<T>(
  address: FleetAddress,
  work: (transport: ControllerTransport) => Promise<T>,
): Promise<T> {
  const transport = await address.open(TIMEOUT_MS)
  try {
    return await work(transport)
  } finally {
    await transport.disconnect().catch(() => undefined)
  }
}
