// Written by `npm run sync` from the tree.

import {
  corruptResults,
  cutResults,
  delayCalls,
  duplicateWrites,
  exhaustPool,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
} from './calls/index.js'
import { failLookups } from './dns/index.js'
import { delayFileOperations, failFileOperations, hangFileOperations } from './files/index.js'
import {
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
} from './http/index.js'
import { cutConnections, delayConnections, hangConnections, refuseConnections } from './net/index.js'
import { failHandshakes } from './tls/index.js'

/** The faults that the entry in `calls/` exports. */
export const callFaults: readonly [
  typeof corruptResults,
  typeof cutResults,
  typeof delayCalls,
  typeof duplicateWrites,
  typeof exhaustPool,
  typeof failAfterCall,
  typeof flapCalls,
  typeof hangCalls,
  typeof limitRate,
  typeof loseWrites,
  typeof refuseCalls,
  typeof serveStaleReads,
  typeof timeOutCalls,
] = [
  corruptResults,
  cutResults,
  delayCalls,
  duplicateWrites,
  exhaustPool,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
]

/** The faults that the entry in `dns/` exports. */
export const dnsFaults: readonly [typeof failLookups] = [failLookups]

/** The faults that the entry in `files/` exports. */
export const fileFaults: readonly [typeof delayFileOperations, typeof failFileOperations, typeof hangFileOperations] = [
  delayFileOperations,
  failFileOperations,
  hangFileOperations,
]

/** The faults that the entry in `http/` exports. */
export const httpFaults: readonly [
  typeof answerRequests,
  typeof corruptResponses,
  typeof cutResponses,
  typeof delayRequests,
  typeof hangRequests,
  typeof hangResponses,
  typeof slowResponses,
] = [answerRequests, corruptResponses, cutResponses, delayRequests, hangRequests, hangResponses, slowResponses]

/** The faults that the entry in `net/` exports. */
export const netFaults: readonly [
  typeof cutConnections,
  typeof cutResponses,
  typeof delayConnections,
  typeof hangConnections,
  typeof refuseConnections,
  typeof slowResponses,
] = [cutConnections, cutResponses, delayConnections, hangConnections, refuseConnections, slowResponses]

/** The faults that the entry in `tls/` exports. */
export const tlsFaults: readonly [typeof failHandshakes] = [failHandshakes]

/** Every fault of `@chaos/adapter`. */
export const faults: readonly [
  typeof answerRequests,
  typeof corruptResponses,
  typeof corruptResults,
  typeof cutConnections,
  typeof cutResponses,
  typeof cutResults,
  typeof delayCalls,
  typeof delayConnections,
  typeof delayFileOperations,
  typeof delayRequests,
  typeof duplicateWrites,
  typeof exhaustPool,
  typeof failAfterCall,
  typeof failFileOperations,
  typeof failHandshakes,
  typeof failLookups,
  typeof flapCalls,
  typeof hangCalls,
  typeof hangConnections,
  typeof hangFileOperations,
  typeof hangRequests,
  typeof hangResponses,
  typeof limitRate,
  typeof loseWrites,
  typeof refuseCalls,
  typeof refuseConnections,
  typeof serveStaleReads,
  typeof slowResponses,
  typeof timeOutCalls,
] = [
  answerRequests,
  corruptResponses,
  corruptResults,
  cutConnections,
  cutResponses,
  cutResults,
  delayCalls,
  delayConnections,
  delayFileOperations,
  delayRequests,
  duplicateWrites,
  exhaustPool,
  failAfterCall,
  failFileOperations,
  failHandshakes,
  failLookups,
  flapCalls,
  hangCalls,
  hangConnections,
  hangFileOperations,
  hangRequests,
  hangResponses,
  limitRate,
  loseWrites,
  refuseCalls,
  refuseConnections,
  serveStaleReads,
  slowResponses,
  timeOutCalls,
]
