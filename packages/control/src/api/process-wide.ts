import { type ChaosController } from '@chaos/core'
import { registeredControllers } from '@chaos/core/authoring'

/** Whether any injection is in force that the controllers of this process know. */
export async function isAnythingInForce(controller: ChaosController): Promise<boolean> {
  const known = await Promise.all(
    [...new Set([controller, ...registeredControllers()])].map((one) => one.injections().catch(() => [])),
  )
  return known.flat().some(({ status }) => status !== 'ended')
}
