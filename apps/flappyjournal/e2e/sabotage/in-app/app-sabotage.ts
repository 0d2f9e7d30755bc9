import type { App } from '../../../src/app.js'
import type { Moments } from '../moments.js'

/** One sabotage inside of the app's process. */
export interface AppSabotage {
  /** Before anything of the app runs: builtins and classes. */
  readonly before?: (moments: Moments) => void
  /** Changes what chaos is given to break. */
  readonly wiring?: (app: App) => App
  /** Once the app runs. */
  readonly apply?: (app: App, moments: Moments) => void
}

/** Sabotages by name. */
export type AppSabotages = Readonly<Record<string, AppSabotage>>

/** Whether it is the n-th call, counted from here on. */
export function everyNth(n: number): () => boolean {
  let calls = 0
  return () => (calls += 1) % n === 0
}
