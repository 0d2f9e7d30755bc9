import type { Chaos, ChaosController } from '@chaos/core'

/** What an endpoint serves: what `createChaos` returns, or any controller. */
export type Controlled = ChaosController | Pick<Chaos, 'controller'>

/** The controller behind either. One controller stays one object: an endpoint that is opened twice recognises it. */
export function controllerOf(chaos: Controlled): ChaosController {
  return 'controller' in chaos ? chaos.controller : chaos
}
