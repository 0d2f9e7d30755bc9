import { fileURLToPath } from 'node:url'

/** The file of a pool's task: `{ id, forMs }` answers with `id`, at once or after a while. */
export const taskFile = fileURLToPath(new URL('./task.mjs', import.meta.url))
/** The file of a forked process that answers each message with the same. */
export const childFile = fileURLToPath(new URL('./child.mjs', import.meta.url))
/** The file of a workerpool's threads: the same task, as their method `task`. */
export const workerpoolFile = fileURLToPath(new URL('./workerpool-task.mjs', import.meta.url))
/** The file of a cluster worker: an HTTP server, on the port given as its argument, that answers with its pid. */
export const clusterWorkerFile = fileURLToPath(new URL('./cluster-worker.mjs', import.meta.url))
/** The file of a thread or process that loads this package and breaks itself. */
export const cooperatingFile = fileURLToPath(new URL('./cooperating.mjs', import.meta.url))
