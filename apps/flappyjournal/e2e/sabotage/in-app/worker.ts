import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { Worker, WorkerOptions } from 'node:worker_threads'
import { pathToFileURL } from 'node:url'
import { appFolder } from '../../../src/config.js'
import type { Moments } from '../moments.js'
import type { AppSabotages } from './app-sabotage.js'

const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: typeof Worker }

/** Another file, or other options, for a thread of this name. */
export type Substitute = (
  options: WorkerOptions,
  isFirst: boolean,
) => { readonly file?: string; readonly options?: WorkerOptions }

/** Puts something in the place of every thread of a name. @param made Told of each that is made. */
export function substituteThread(
  name: string,
  substitute: Substitute,
  made: (worker: Worker) => void = () => undefined,
): void {
  const Original = threads.Worker
  let isFirst = true
  threads.Worker = class extends Original {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      if (options.name !== name) {
        super(file, options)
        return
      }
      const { file: other, options: more } = substitute(options, isFirst)
      isFirst = false
      super(other === undefined ? file : pathToFileURL(`${appFolder}dist/${other}.js`), { ...options, ...more })
      made(this)
    }
  }
  syncBuiltinESMExports()
}

const replacements =
  (substitute: (options: WorkerOptions) => ReturnType<Substitute>): (() => void) =>
  () =>
    substituteThread('consciousness-loop', (options, isFirst) => (isFirst ? {} : substitute(options)))

/** Kills the loop worker again and again. */
function killOften(workers: () => readonly Worker[], moments: Moments): void {
  moments.at('ended', () => setInterval(() => workers().forEach((worker) => void worker.terminate()), 4_000).unref())
}

export const workerSabotages: AppSabotages = {
  'replacement-idle': { before: replacements(() => ({ file: 'idle-loop' })) },
  'replacement-half-speed': {
    before: replacements(({ workerData }) => ({ options: { workerData: { ...(workerData as object), hz: 50 } } })),
  },
  'killed-again-every-4-s': { apply: (app, moments) => killOften(app.workers, moments) },
}
