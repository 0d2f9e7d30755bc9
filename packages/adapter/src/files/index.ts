export type { FileOperation, FileSystem } from './places.js'
// #region faults: written by `npm run sync`
export { delayFileOperations, type DelayFileOperationsOptions } from './faults/delay-file-operations.js'
export { failFileOperations, type FailFileOperationsOptions } from './faults/fail-file-operations.js'
export { hangFileOperations, type HangFileOperationsOptions } from './faults/hang-file-operations.js'
// #endregion
export type { FileOutagePreset } from './outages.js'
