import type { Suite } from '../runner/case.js'
import { atRest } from './at-rest.js'
import { crowdSuites } from './crowd.js'
import { delays } from './delays.js'
import { emitterSuites } from './emitter.js'
import { eventLoop } from './event-loop.js'
import { growth } from './growth.js'
import { lifeCycle } from './life-cycle.js'
import { memory } from './memory.js'
import { methodSuites } from './methods.js'
import { packagesSuite } from './packages.js'
import { peers } from './peers.js'
import { processSuite } from './process.js'
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
  workersSuite,
  lifeCycle,
  delays,
  eventLoop,
  packagesSuite,
  memory,
  growth,
  peers,
]
