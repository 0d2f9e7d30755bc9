import type { InjectionContext } from '@chaos/core/authoring'
import type { StreamChoice } from '../../toxics/toxic.js'
import { DatagramToxic, type DatagramBehaviour } from './datagram-toxic.js'
import { UDP_ENGINE, type UdpProxyTarget } from './target.js'

/** Lets a fault act on the datagrams of a proxy, until the injection ends. */
export function affectDatagrams(
  proxy: UdpProxyTarget,
  fault: string,
  options: { readonly stream: StreamChoice },
  context: InjectionContext,
  behaviour: DatagramBehaviour,
): void {
  const engine = proxy[UDP_ENGINE]
  const toxic = new DatagramToxic(fault, { ...options }, context, behaviour)
  context.defer(() => engine.remove(toxic))
  engine.add(toxic)
}
