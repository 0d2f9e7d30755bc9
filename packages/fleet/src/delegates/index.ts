// Infrastructure faults by delegation: rendering and checks only.
export { chaosMeshYaml } from './chaos-mesh-yaml.js'
export { lintChaosMesh, type ChaosMeshFinding } from './lint-chaos-mesh.js'
export type { ChaosMeshManifest, PodSelection, PodsByNamespace } from './manifest.js'
export { renderChaosMesh } from './render-chaos-mesh.js'
export { runSelector } from './run-label.js'
export type { ChaosMeshAction, ChaosMeshFault, ChaosMeshStep } from './step.js'
