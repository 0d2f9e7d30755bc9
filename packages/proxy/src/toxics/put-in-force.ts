import type { InjectionContext } from '@chaos/core/authoring'
import { ENGINE, type ProxyTarget } from './engine.js'
import { Toxic, type Behaviour } from './toxic.js'

/** Puts a toxic in force on a proxy, until the injection ends. At once, unless the proxy is in another thread. */
export function putInForce<Options extends object>(
  proxy: ProxyTarget,
  fault: string,
  options: Options,
  context: InjectionContext,
  behaviour: Behaviour<Options>,
): void | Promise<void> {
  const engine = proxy[ENGINE]
  const toxic = new Toxic(fault, options as Readonly<Record<string, unknown>>, context, behaviour as Behaviour<object>)
  context.defer(() => engine.remove(toxic))
  return engine.add(toxic)
}
