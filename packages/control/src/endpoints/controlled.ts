import type { Chaos, ChaosController } from '@chaos/core'

/** What an endpoint serves: the result of `createChaos`, or any controller. */
export type Controlled = ChaosController | Pick<Chaos, 'controller'>

/** Returns the controller of either. It is always the same object, so that an endpoint opened twice is recognised. */
export function controllerOf(chaos: Controlled): ChaosController {
  return 'controller' in chaos ? chaos.controller : chaos
}
