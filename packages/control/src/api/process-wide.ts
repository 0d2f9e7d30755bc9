import { registeredControllers, type ChaosController, type StopReport } from '@chaos/core'

/** Ends every injection of the process, whichever controller made it, or none. */
export function stopEverything(controller: ChaosController): Promise<StopReport> {
  return controller.stopAll({ process: true })
}

/** Whether anything is in force, as far as the controllers of this process know. */
export async function isAnythingInForce(controller: ChaosController): Promise<boolean> {
  const known = await Promise.all([...new Set([controller, ...registeredControllers()])].map((one) => one.injections().catch(() => [])))
  return known.flat().some(({ status }) => status !== 'ended')
}
