import { auditLogTool } from './audit-log.js'
import { experimentStatus, readReportTool, runExperiment, stopExperiment } from './experiments.js'
import { inject } from './inject.js'
import { listInjections } from './list-injections.js'
import { listProcesses } from './list-processes.js'
import { listTargets } from './list-targets.js'
import { plan } from './plan.js'
import { recentEvents } from './recent-events.js'
import { stopAll } from './stop-all.js'
import { stopInjection } from './stop-injection.js'
import type { Tool } from './tool.js'

/** The tools of the server, in the order in which clients see them. */
export const TOOLS: readonly Tool[] = [
  listProcesses,
  listTargets,
  plan,
  inject,
  listInjections,
  stopInjection,
  stopAll,
  recentEvents,
  runExperiment,
  experimentStatus,
  stopExperiment,
  readReportTool,
  auditLogTool,
]
