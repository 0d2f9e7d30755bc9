import { isGetter } from '@chaos/core/authoring'

/** What the faults need of a child process: Node's `ChildProcess`, by shape. */
export interface ProcessLike {
  /** `undefined` when it could not be started. */
  readonly pid?: number | undefined
  /** `null` while it runs. */
  readonly exitCode: number | null
  readonly signalCode: string | null
  kill(signal?: NodeJS.Signals): boolean
  once(event: 'exit', listener: (exitCode: number | null, signal: NodeJS.Signals | null) => void): unknown
  off(event: 'exit', listener: (exitCode: number | null, signal: NodeJS.Signals | null) => void): unknown
}

/** A worker of `node:cluster`. */
export interface ClusterWorkerLike {
  readonly process: ProcessLike
}

/** `node:cluster` itself, in the primary: its current workers. */
export interface ClusterLike {
  readonly workers?: Readonly<Record<string, ClusterWorkerLike | undefined>> | undefined
}

type OneProcess = ProcessLike | ClusterWorkerLike
type Processes = OneProcess | ClusterLike | Iterable<OneProcess>

/** A child process, a cluster worker, several, `node:cluster` itself, or a function that returns the current ones. */
export type ProcessTarget = Processes | (() => Processes | undefined)

/** What a target of process faults must be, in words. */
export const PROCESS_TARGET =
  'a ChildProcess, a cluster worker, several, node:cluster in its primary, or a function that returns the current ones'

/** Whether a value is shaped like a child process. Node's own `process` is none: it has no `signalCode`. */
function isProcessLike(value: unknown): value is ProcessLike {
  return isObject(value) && 'signalCode' in value && 'kill' in value && 'once' in value
}

/** Whether a value names processes. What a function returns is looked at when the fault is injected. */
export function isProcessTarget(value: unknown): value is ProcessTarget {
  if (isGetter(value) || isOne(value) || isCluster(value)) return true
  return isIterable(value) && [...value].every(isOne)
}

/** The processes of a target that run now, longest-running first as far as their order tells. What a function returns beside processes is left out. */
export function liveProcesses(target: ProcessTarget): ProcessLike[] {
  const named: unknown = typeof target === 'function' ? target() : target
  const all = isCluster(named) ? Object.values(named.workers ?? {}) : isIterable(named) ? [...named] : [named]
  return all
    .filter(isOne)
    .map((one) => (isProcessLike(one) ? one : one.process))
    .filter(isRunning)
}

/** Whether a process was started and has not ended. */
export const isRunning = ({ pid, exitCode, signalCode }: ProcessLike): boolean =>
  pid !== undefined && exitCode === null && signalCode === null

const isIterable = (value: unknown): value is Iterable<unknown> => isObject(value) && Symbol.iterator in value
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isOne = (value: unknown): value is OneProcess =>
  isProcessLike(value) || (isObject(value) && 'process' in value && isProcessLike(value.process))
const isCluster = (value: unknown): value is ClusterLike =>
  isObject(value) && 'workers' in value && 'setupPrimary' in value
