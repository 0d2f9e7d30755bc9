import { ChaosError } from '@chaos/core'
import { globMatcher, option, type InjectionContext } from '@chaos/core/authoring'
import { inspectorOf } from './inspector.js'
import { isProcessTarget, liveProcesses, type ProcessLike, type ProcessTarget } from '../targets/processes.js'
import type { MeasuredWorker } from './wait-until-online.js'
import { isWorkerTarget, liveWorkers, strangerIn, type WorkerLike, type WorkerTarget } from '../targets/workers.js'

/** The description of a worker for a `where` predicate. */
export interface WorkerDescription {
  readonly threadId: number
  /** The name given to `new Worker`. Without one: `''`, or `WorkerThread` on Node.js 24 and up. */
  readonly name: string
  /** The `workerData` of the worker, converted by JSON. */
  readonly workerData: unknown
}

const PLACE = {
  nth: option.optional(option.count('With `select: nth`: the position among the candidates, oldest first, from 1.', 1)),
  share: option.optional(option.rate('With `select: share`: the share of the candidates, 0 to 1, rounded up.')),
}

/** The option that says which of the candidates a fault on threads affects. */
export const selectOption = option.oneOf(
  ['one', 'all', 'nth', 'share', 'oldest', 'newest', 'busiest'],
  'Which candidates to affect: one (the oldest), all, the nth, a share, the oldest, the newest or the busiest.',
)

/** The options that choose among the live workers of a target. */
export const workerSelection = {
  select: option.optional(selectOption, 'one'),
  ...PLACE,
  name: option.optional(option.names('Only workers with this name: names or globs.')),
  threadId: option.optional(option.count('Only the worker with this thread id.', 1)),
  windowMs: option.optional(
    option.durationMs(
      'With `select: busiest`: time over which event-loop utilization is measured, in ms. Default 100.',
    ),
  ),
}

/** The options of a selection that JSON cannot carry. */
export const workerSelectionInProcess = {
  where: option.optional(
    option.func<(worker: WorkerDescription) => boolean>('Only workers for which this function returns true.'),
  ),
}

/** The options that choose among the running processes of a target. */
export const processSelection = {
  select: option.optional(
    option.oneOf(
      ['one', 'all', 'nth', 'share', 'oldest', 'newest'],
      'Which candidates to affect: one (the oldest), all, the nth, a share, the oldest or the newest.',
    ),
    'one',
  ),
  ...PLACE,
  pid: option.optional(option.count('Only the process with this process id.', 1)),
}

interface Place {
  readonly select: 'one' | 'all' | 'nth' | 'share' | 'oldest' | 'newest' | 'busiest'
  readonly nth?: number | undefined
  readonly share?: number | undefined
}

/** The values of {@link workerSelection} and {@link workerSelectionInProcess}. */
export interface WorkerSelection extends Place {
  readonly name?: string | readonly string[] | undefined
  readonly threadId?: number | undefined
  readonly windowMs?: number | undefined
  readonly where?: ((worker: WorkerDescription) => boolean) | undefined
}

/** The values of {@link processSelection}. */
export interface ProcessSelection extends Place {
  readonly pid?: number | undefined
}

/** Refuses a selection whose options contradict each other. */
export const selectionFits =
  (fault: string) =>
  ({ select, nth, share, windowMs }: WorkerSelection): void => {
    const pairs = [
      ['nth', 'nth', nth, true],
      ['share', 'share', share, true],
      ['windowMs', 'busiest', windowMs, false],
    ] as const
    for (const [name, belongsTo, value, isNeeded] of pairs) {
      if (isNeeded && select === belongsTo && value === undefined)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `Option "${name}" of ${fault} is required with \`select: ${belongsTo}\`. Pass it, or use another \`select\`.`,
        )
      if (select !== belongsTo && value !== undefined)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `Option "${name}" of ${fault} works with \`select: ${belongsTo}\` only, and \`select\` is \`${select}\`. Remove it, or pass \`select: ${belongsTo}\`.`,
        )
    }
  }

/**
 * Chooses among the live workers of a target.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` if no live worker matches, `CHAOS_TARGET_MISMATCH` if the target has
 *   processes only, or objects in which no worker is found.
 */
export async function chooseWorkers(
  target: WorkerTarget,
  selection: WorkerSelection,
  context: InjectionContext,
): Promise<readonly WorkerLike[]> {
  const live = liveWorkers(target)
  if (live.length === 0)
    throw isProcessTarget(target) && liveProcesses(target).length > 0
      ? wrongKind('threads', 'processes')
      : (noWorker(strangerIn(target)) ?? noneAlive('worker'))
  const candidates = await matching(live, selection, context)
  return selection.select === 'busiest'
    ? [await busiest(candidates, selection.windowMs ?? 100, context)]
    : place(candidates, selection, 'worker')
}

/**
 * Chooses among the running processes of a target.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` if no running process matches, `CHAOS_TARGET_MISMATCH` if the target has threads only.
 */
export function chooseProcesses(target: ProcessTarget, selection: ProcessSelection): readonly ProcessLike[] {
  const live = liveProcesses(target)
  if (live.length === 0)
    throw isWorkerTarget(target) && liveWorkers(target).length > 0
      ? wrongKind('processes', 'threads')
      : noneAlive('process')
  return place(
    selection.pid === undefined ? live : live.filter(({ pid }) => pid === selection.pid),
    selection,
    'process',
  )
}

function place<T>(candidates: readonly T[], { select, nth = 1, share = 1 }: Place, what: string): readonly T[] {
  if (candidates.length === 0)
    throw new ChaosError(
      'CHAOS_NO_LIVE_WORKER',
      `No live ${what} matches the selection. Compare its names and ids with those of the target.`,
    )
  if (select === 'all') return candidates
  if (select === 'share') return candidates.slice(0, shareOf(candidates.length, share))
  const index = select === 'newest' ? candidates.length - 1 : select === 'nth' ? nth - 1 : 0
  if (index >= candidates.length)
    throw new ChaosError(
      'CHAOS_NO_LIVE_WORKER',
      `Expected \`nth\` to be at most ${candidates.length}, the number of live ${what === 'worker' ? 'workers' : 'processes'} that match, got \`${nth}\`.`,
    )
  return candidates.slice(index, index + 1)
}

/** The share of a count, rounded up. Tolerates the rounding error of binary fractions: 0.28 of 25 is 7, not 8. */
export const shareOf = (count: number, share: number): number => Math.ceil(count * share * (1 - 2 * Number.EPSILON))

/** The workers that match `threadId`, `name` and `where`. Reads names and data through the inspector, only if they are needed. */
async function matching(
  live: readonly WorkerLike[],
  { threadId, name, where }: WorkerSelection,
  context: InjectionContext,
): Promise<readonly WorkerLike[]> {
  const byId = threadId === undefined ? live : live.filter((worker) => worker.threadId === threadId)
  if (name === undefined && where === undefined) return byId
  const isNamed = name === undefined ? () => true : globMatcher(typeof name === 'string' ? [name] : name)
  const inspector = inspectorOf(context)
  const matches = await Promise.all(
    byId.map(async (worker) => {
      const known = await inspector.find(worker.threadId)
      if (!isNamed(known.name)) return false
      return (
        where === undefined ||
        where({
          threadId: known.threadId,
          name: known.name,
          workerData: await inspector.evaluate(worker, WORKER_DATA, { withRequire: !HAS_BUILTINS }),
        })
      )
    }),
  )
  return byId.filter((_worker, index) => matches[index])
}

/** Whether Node.js provides its modules without `require`: from 20.16 and 22.3 on. */
const HAS_BUILTINS = 'getBuiltinModule' in process
const WORKER_DATA = `${HAS_BUILTINS ? 'process.getBuiltinModule' : 'require'}('node:worker_threads').workerData`

async function busiest(
  candidates: readonly MeasuredWorker[],
  windowMs: number,
  { clock }: InjectionContext,
): Promise<WorkerLike> {
  const before = candidates.map(({ performance }) => performance?.eventLoopUtilization())
  await new Promise<void>((resolve) => void clock.after(windowMs, resolve))
  const loads = candidates.map(({ threadId, performance }, index) =>
    threadId === -1 ? -1 : (performance?.eventLoopUtilization(before[index]).utilization ?? 0),
  )
  const [winner] = place(
    candidates.filter((_worker, index) => loads[index] === Math.max(...loads) && loads[index] !== -1),
    { select: 'one' },
    'worker',
  )
  return winner as WorkerLike
}

const noneAlive = (what: string): ChaosError =>
  new ChaosError('CHAOS_NO_LIVE_WORKER', `The target has no live ${what}. Inject the fault once one has started.`)

/** The error for an object that hides its worker, so that no worker is found. */
export function noWorker(stranger: object | undefined): ChaosError | undefined {
  if (stranger === undefined) return undefined
  const name: unknown = Reflect.get(stranger, 'constructor')
  const what = typeof name === 'function' && name.name !== '' ? name.name : 'object'
  return new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected the target to have Workers, got an object of another kind (${what.slice(0, 100)}). If it keeps its Worker in a member of its own, return that: \`() => pool.map((one) => one.itsWorker)\`.`,
  )
}

const FAULTS_OF = {
  threads: 'exitWorker, crashWorker, terminateWorker or blockEventLoop',
  processes: 'signalProcess or freezeProcess',
} as const

const wrongKind = (expected: keyof typeof FAULTS_OF, got: keyof typeof FAULTS_OF): ChaosError =>
  new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected the target to have ${expected}, got ${got}. Use a fault on ${got}: ${FAULTS_OF[got]}.`,
  )
