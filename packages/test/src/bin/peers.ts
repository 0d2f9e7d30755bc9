import { messageOf } from '@chaos/core/authoring'
import type * as Control from '@chaos/control'
import type * as Experiments from '@chaos/experiment'
import { usage } from './arguments.js'

/** The client of control endpoints. It is a peer: tests do not need it. @throws ChaosError `CHAOS_INVALID_OPTION` if it is missing */
export const controlPackage = (): Promise<typeof Control> => peer('@chaos/control', () => import('@chaos/control'))

/** The package of probes, likewise. */
export const experimentPackage = (): Promise<typeof Experiments> =>
  peer('@chaos/experiment', () => import('@chaos/experiment'))

async function peer<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    throw usage(
      `\`chaos explore\` needs the package ${name}, which could not be loaded: ${messageOf(error)}. Install it beside @chaos/test: \`npm install --save-dev ${name}\`.`,
    )
  }
}
