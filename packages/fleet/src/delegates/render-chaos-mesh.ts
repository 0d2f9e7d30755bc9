import { checkStep } from './check-step.js'
import type { ChaosMeshManifest } from './manifest.js'
import { durationText } from './quantities.js'
import { hashOf, RUN_KEY, runLabel } from './run-label.js'
import { actionFields, kindOf, selectionOf } from './spec.js'
import type { ChaosMeshStep } from './step.js'

/**
 * Renders an infrastructure fault as manifests of Chaos Mesh (`chaos-mesh.org/v1alpha1`), one for each namespace.
 * It is pure: it reaches no cluster, and the same step always renders the same. Applying and deleting the objects is left to the caller.
 *
 * The objects name exact pods. Chaos Mesh skips pods that are gone, and draws in no others. `duration` is a backstop, which
 * needs a working Chaos Mesh; it is no lease.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if the step is invalid; `CHAOS_FLEET_IRREVERSIBLE` if it kills what it affects
 *   (`pod-kill`, `container-kill`) and does not say `irreversible: 'allowed'`.
 */
export function renderChaosMesh(step: ChaosMeshStep): readonly ChaosMeshManifest[] {
  const { runId, name, pods, maxDurationMs, fault } = checkStep(step)
  const namespaces = Object.entries(selectionOf(pods).selector.pods)
  return namespaces.map(([namespace, names]) => ({
    apiVersion: 'chaos-mesh.org/v1alpha1',
    kind: kindOf(fault),
    metadata: {
      name: `${name ?? fault.action}-${hashOf(runId, 12)}`,
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'chaos-harness', [RUN_KEY]: runLabel(runId) },
      annotations: { [RUN_KEY]: runId },
    },
    spec: {
      action: fault.action,
      mode: 'all',
      selector: { pods: { [namespace]: names } },
      duration: durationText(maxDurationMs),
      ...actionFields(fault),
    },
  }))
}
