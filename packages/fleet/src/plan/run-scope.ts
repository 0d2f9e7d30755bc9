import type { PortableInjectOptions } from '@chaos/core'
import type { Plan } from './plan.js'

/** What `scope` says for the requests whose header names the run: nobody knows the random name of a run before it is planned. */
const REQUEST = 'request'

/** The scope in the plan of a run. For `request` it is the name of the run, which the header of a minted scope then has. */
export function scopeOfRun(scope: PortableInjectOptions['scope'], runId: string): PortableInjectOptions['scope'] {
  return scope === REQUEST ? runId : scope
}

/** Whether a run affects only requests whose header names it. */
export function isForRequests({ how, runId }: Pick<Plan, 'how' | 'runId'>): boolean {
  return how.scope === runId
}

/** The command that mints the header of requests which a run affects. It needs the key that the services share. */
export function mintCommand({ runId, maxDurationMs }: Pick<Plan, 'runId' | 'maxDurationMs'>): string {
  return `chaos scope --id=${runId} --for ${Math.ceil(maxDurationMs / MS_PER_SECOND)}s`
}

const MS_PER_SECOND = 1_000
