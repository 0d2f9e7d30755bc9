import { evaluatorAndMonitoring } from './list/monitoring.js'
import { appSick } from './list/app.js'
import { clocks } from './list/clocks.js'
import { controllers } from './list/controllers.js'
import { loads } from './list/loads.js'
import { machines } from './list/machines.js'
import { realMonitoring } from './list/real-monitoring.js'
import { healthyRuns } from './list/healthy.js'
import type { Healthy, Sabotage } from './sabotage.js'

/** Every sabotage. None of them may pass. */
export const SABOTAGES: readonly Sabotage[] = [
  ...appSick,
  ...evaluatorAndMonitoring,
  ...loads,
  ...controllers,
  ...clocks,
  ...machines,
  ...realMonitoring,
]

/** Runs of a correct app, under circumstances that must not count against it. */
export const HEALTHY: readonly Healthy[] = healthyRuns
