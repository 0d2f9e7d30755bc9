import type { AppSabotages } from './app-sabotage.js'
import { busSabotages } from './bus.js'
import { controllerSabotages } from './controller.js'
import { evaluatorSabotages } from './evaluator.js'
import { httpSabotages } from './http.js'
import { metricsSabotages } from './metrics.js'
import { storageSabotages } from './storage.js'
import { workerSabotages } from './worker.js'

/** All sabotages inside of the app. Several of them are given with a `+` between. */
export const APP_SABOTAGES: AppSabotages = {
  ...busSabotages,
  ...storageSabotages,
  ...httpSabotages,
  ...metricsSabotages,
  ...workerSabotages,
  ...evaluatorSabotages,
  ...controllerSabotages,
}
