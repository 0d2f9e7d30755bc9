import { askedOf, isGetter } from '@chaos/core/authoring'

/** The members of Node's `ChildProcess` that the faults use. */
export interface ProcessLike {
  /** `undefined` if the process could not be started. */
  readonly pid?: number | undefined
  /** `null` while the process runs. */
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

/** The members of `node:cluster` in the primary that the faults use. */
export interface ClusterLike {
  readonly workers?: Readonly<Record<string, ClusterWorkerLike | undefined>> | undefined
}

type OneProcess = ProcessLike | ClusterWorkerLike
type Processes = OneProcess | ClusterLike | Iterable<OneProcess>

/** One or several child processes or cluster workers, `node:cluster` itself, or a function that returns the current ones. */
export type ProcessTarget = Processes | (() => Processes | undefined)

/** The target of a process fault, for messages. */
export const PROCESS_TARGET =
  'one or several child processes or cluster workers, node:cluster in the primary, or a function that returns the current ones'

/** Whether a value has the shape of a child process. Node's own `process` does not: it has no `signalCode`. */
function isProcessLike(value: unknown): value is ProcessLike {
  return isObject(value) && 'signalCode' in value && 'kill' in value && 'once' in value
}

/** Whether a value is a target of process faults. The result of a function is only checked when the fault is injected. */
export function isProcessTarget(value: unknown): value is ProcessTarget {
  if (isGetter(value) || isOne(value) || isCluster(value)) return true
  return isOne(unwrapped(value)) || (isIterable(value) && [...value].every((one) => isOne(unwrapped(one))))
}

/** The running processes of a target, in the order of the target, which is usually oldest first. */
export function liveProcesses(target: ProcessTarget): ProcessLike[] {
  const named = askedOf(target, 'the current processes')
  const all = isCluster(named) ? Object.values(named.workers ?? {}) : isIterable(named) ? [...named] : [named]
  return all
    .map(unwrapped)
    .filter(isOne)
    .map((one) => (isProcessLike(one) ? one : one.process))
    .filter(isRunning)
}

/** Whether a process has started and not ended. */
export const isRunning = ({ pid, exitCode, signalCode }: ProcessLike): boolean =>
  pid !== undefined && exitCode === null && signalCode === null

const isIterable = (value: unknown): value is Iterable<unknown> => isObject(value) && Symbol.iterator in value
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isOne = (value: unknown): value is OneProcess =>
  isProcessLike(value) || (isObject(value) && 'process' in value && isProcessLike(value.process))
/** Returns the process inside the object that a pool such as workerpool keeps of it. */
const unwrapped = (one: unknown): unknown => (isObject(one) && 'worker' in one && isOne(one.worker) ? one.worker : one)
const isCluster = (value: unknown): value is ClusterLike =>
  isObject(value) && 'workers' in value && 'setupPrimary' in value
