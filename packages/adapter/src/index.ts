export type { MethodTarget } from './bindings/methods.js'
export { refuseCalls, type RefuseCallsOptions, type RefusedCall } from './faults/refuse-calls.js'
export { errorPresetNames, type ErrorPreset } from './presets/index.js'
