import type { Suite } from '../runner/case.js'
import { atRest } from './at-rest.js'
import { crowdSuites } from './crowd.js'
import { delays } from './delays.js'
import { emitterSuites } from './emitter.js'
import { endpointSuite } from './endpoint.js'
import { eventLoop } from './event-loop.js'
import { exploreSuite } from './explore.js'
import { fleetApp } from './fleet-app.js'
import { fleetParts } from './fleet-parts.js'
import { growth } from './growth.js'
import { lifeCycle } from './life-cycle.js'
import { memory } from './memory.js'
import { methodSuites } from './methods.js'
import { packagesSuite } from './packages.js'
import { peers } from './peers.js'
import { processSuite } from './process.js'
import { proxyCarry } from './proxy-carry.js'
import { proxyLoad } from './proxy-load.js'
import { proxyToxics } from './proxy-toxics.js'
import { scopesSuite } from './scopes.js'
import { transportSuites } from './transports.js'
import { workersSuite } from './workers.js'

/** All that is measured, in the order of the document. */
export const suites: readonly Suite[] = [
  atRest,
  ...methodSuites,
  ...emitterSuites,
  ...crowdSuites,
  ...transportSuites,
  processSuite,
  endpointSuite,
  scopesSuite,
  workersSuite,
  lifeCycle,
  delays,
  eventLoop,
  packagesSuite,
  memory,
  growth,
  exploreSuite,
  peers,
  ...proxyCarry,
  ...proxyToxics,
  ...proxyLoad,
  fleetParts,
  fleetApp,
]
