import { do_not_optimize } from 'mitata'
import { inject, type Fault, type InjectOptions, type Injection } from '@chaos/core'
import { type AnyFunction } from '@chaos/core/authoring'

/** Regressions on purpose: what a careless change of a layer would be. The fast check must refuse each of them. */
export const sabotages = {
  'async-wrapper': (layer: AnyFunction): AnyFunction =>
    async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      return (await Reflect.apply(layer, this, args)) as unknown
    },
  proxy: (layer: AnyFunction): AnyFunction =>
    new Proxy(layer, { apply: (fn, self, args) => Reflect.apply(fn, self, args) as unknown }),
  'clock-read': (layer: AnyFunction): AnyFunction =>
    function (this: unknown, ...args: unknown[]): unknown {
      do_not_optimize(Date.now())
      return Reflect.apply(layer, this, args) as unknown
    },
} as const satisfies Record<string, (layer: AnyFunction) => AnyFunction>

export type Sabotage = keyof typeof sabotages

let chosen: ((layer: AnyFunction) => AnyFunction) | undefined

/** From now on, in this process, every layer of every fault is wrapped like this. */
export function sabotage(name: Sabotage): void {
  chosen = sabotages[name]
}

/** Injects a fault, sabotaged where that was asked for. */
export async function arm<Target extends object>(
  fault: Fault<Target>,
  target: Target,
  how: InjectOptions = {},
): Promise<Injection> {
  const wrap = chosen
  if (wrap === undefined) return inject(fault, target, how)
  const sabotaged: Fault<Target> = {
    ...fault,
    inject: (object, context) =>
      fault.inject(object, {
        ...context,
        patch: (holder, key, layer, options) => context.patch(holder, key, (below) => wrap(layer(below)), options),
      }),
  }
  return inject(sabotaged, target, how)
}
