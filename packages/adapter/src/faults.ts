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
export const callFaults = [
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
] as const

/** The faults that the entry in `dns/` exports. */
export const dnsFaults = [failLookups] as const

/** The faults that the entry in `files/` exports. */
export const fileFaults = [delayFileOperations, failFileOperations, hangFileOperations] as const

/** The faults that the entry in `http/` exports. */
export const httpFaults = [
  answerRequests,
  corruptResponses,
  cutResponses,
  delayRequests,
  hangRequests,
  hangResponses,
  slowResponses,
] as const

/** The faults that the entry in `net/` exports. */
export const netFaults = [
  cutConnections,
  cutResponses,
  delayConnections,
  hangConnections,
  refuseConnections,
  slowResponses,
] as const

/** The faults that the entry in `tls/` exports. */
export const tlsFaults = [failHandshakes] as const

/** Every fault of `@chaos/adapter`. */
export const faults = [
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
] as const
