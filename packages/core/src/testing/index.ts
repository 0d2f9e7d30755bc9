export { faultContract, type ContractCase, type FaultContract } from './fault-contract.js'
export { manualClock, type ManualClock } from './manual-clock.js'
export { residueRecorder, type ResidueRecorder } from './residue.js'
export { shapeDifference, shapeOf, type Shape } from './shape.js'
