import { createHash } from 'node:crypto'

/** The key of the label and of the annotation that say which run an object belongs to. */
export const RUN_KEY = 'chaos-harness/run-id'

/** What Kubernetes takes for the value of a label. */
const LABEL_VALUE = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/

/** The first digits of a hash, for where the id of a run may not stand: it may hold capitals and end in `_`. */
export const hashOf = (runId: string, digits: number): string =>
  createHash('sha256').update(runId).digest('hex').slice(0, digits)

/** The value of the label: the id of the run, or its hash if the id is no value of a label. */
export const runLabel = (runId: string): string => (LABEL_VALUE.test(runId) ? runId : hashOf(runId, 32))

/** The selector of all objects of a run: `kubectl delete podchaos,networkchaos -A -l <selector>` deletes them. */
export const runSelector = (runId: string): string => `${RUN_KEY}=${runLabel(runId)}`
