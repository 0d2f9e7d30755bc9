export type { NetModule } from '../sockets/net.js'
// #region faults: written by `npm run sync`
export { cutConnections, type CutConnectionsOptions } from './faults/cut-connections.js'
export { delayConnections, type DelayConnectionsOptions } from './faults/delay-connections.js'
export { hangConnections, type HangConnectionsOptions } from './faults/hang-connections.js'
export { refuseConnections, type RefuseConnectionsOptions } from './faults/refuse-connections.js'
// #endregion
export { cutResponses, type CutResponsesOptions } from '../http/faults/cut-responses.js'
export { slowResponses, type SlowResponsesOptions } from '../http/faults/slow-responses.js'
