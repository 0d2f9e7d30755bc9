import { muteRelay, type MuteRelay } from '@chaos/test-servers'
import { onTestFinished } from 'vitest'

/** A relay to a server, for the running test. */
export async function relayTo(port: number): Promise<MuteRelay> {
  const relay = await muteRelay(port)
  onTestFinished(relay.stop)
  return relay
}
