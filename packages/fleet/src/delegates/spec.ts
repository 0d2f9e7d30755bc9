import type { CheckedFault } from './check-step.js'
import type { ChaosMeshManifest, PodSelection, PodsByNamespace } from './manifest.js'
import { durationText, percentText } from './quantities.js'

/** A part of a manifest that depends on the fault. */
type Fields = Readonly<Record<string, unknown>>

/** The kind of Chaos Mesh that knows an action. */
export const kindOf = ({ action }: CheckedFault): ChaosMeshManifest['kind'] =>
  action === 'pod-kill' || action === 'pod-failure' || action === 'container-kill' ? 'PodChaos' : 'NetworkChaos'

/** Exactly the listed pods, in alphabetical order: one list renders one way. */
export function selectionOf(pods: readonly string[]): PodSelection {
  const byNamespace = new Map<string, string[]>()
  for (const pod of [...new Set(pods)].sort()) {
    const [namespace = '', name = ''] = pod.split('/')
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), name])
  }
  // `fromEntries` defines each key, so no namespace can set a prototype.
  const named: PodsByNamespace = Object.fromEntries(byNamespace)
  return { mode: 'all', selector: { pods: named } }
}

/** The fields of `spec` that say what is done. */
export function actionFields(fault: CheckedFault): Fields {
  switch (fault.action) {
    case 'pod-kill':
      return { gracePeriod: fault.gracePeriodSeconds }
    case 'pod-failure':
      return {}
    case 'container-kill':
      return { containerNames: fault.containers }
    case 'partition':
      return peerFields(fault)
    case 'delay':
      return {
        delay: {
          latency: durationText(fault.delayMs),
          jitter: durationText(fault.jitterMs),
          correlation: percentText(fault.correlation),
        },
        ...peerFields(fault),
      }
    case 'loss':
    case 'duplicate':
    case 'corrupt':
      return {
        [fault.action]: { [fault.action]: percentText(fault.rate), correlation: percentText(fault.correlation) },
        ...peerFields(fault),
      }
    case 'bandwidth':
      return {
        bandwidth: { rate: `${fault.bytesPerSecond}bps`, limit: fault.limitBytes, buffer: fault.bufferBytes },
        ...peerFields(fault),
      }
  }
}

type NetworkFault = Extract<CheckedFault, { readonly direction: string }>

function peerFields({ direction, target, externalTargets }: NetworkFault): Fields {
  return {
    direction,
    ...(target === undefined ? {} : { target: selectionOf(target) }),
    ...(externalTargets === undefined ? {} : { externalTargets }),
  }
}
