import { ChaosError } from '@chaos/core'
import { globMatcher, option, type InjectionContext } from '@chaos/core/authoring'
import { inspectorOf } from './inspector.js'
import { liveProcesses, type ProcessLike, type ProcessTarget } from '../targets/processes.js'
import type { MeasuredWorker } from './wait-until-online.js'
import { liveWorkers, type WorkerLike, type WorkerTarget } from '../targets/workers.js'

/** What a `where` predicate sees of a worker. */
export interface WorkerDescription {
  readonly threadId: number
  /** What it was named when it was made. */
  readonly name: string
  /** Its `workerData`, as JSON carries it. */
  readonly workerData: unknown
}

const PLACE = {
  nth: option.optional(
    option.count('With `select: nth`: its place among the candidates, longest-running first, from 1.', 1),
  ),
  share: option.optional(option.rate('With `select: share`: the share of the candidates, 0 to 1, rounded up.')),
}

/** Which of the candidates a fault on threads takes. */
export const selectOption = option.oneOf(
  ['one', 'all', 'nth', 'share', 'oldest', 'newest', 'busiest'],
  'Which of the candidates: one (the oldest), all, the nth, a share, the oldest, the newest, or the busiest.',
)

/** The options by which a fault on threads chooses among the live workers of its target. */
export const workerSelection = {
  select: option.optional(selectOption, 'one'),
  ...PLACE,
  name: option.optional(option.names('Only workers with this name: names or globs.')),
  threadId: option.optional(option.count('Only the worker with this thread id.', 1)),
  windowMs: option.optional(
    option.durationMs('With `select: busiest`: how long event-loop utilisation is compared, in ms. Default 100.'),
  ),
}

/** The part of a selection that JSON cannot carry. */
export const workerSelectionInProcess = {
  where: option.optional(option.func<(worker: WorkerDescription) => boolean>('Only workers for which this says yes.')),
}

/** The options by which a fault on processes chooses among the running ones of its target. */
export const processSelection = {
  select: option.optional(
    option.oneOf(
      ['one', 'all', 'nth', 'share', 'oldest', 'newest'],
      'Which of the candidates: one (the oldest), all, the nth, a share, the oldest, or the newest.',
    ),
    'one',
  ),
  ...PLACE,
  pid: option.optional(option.count('Only the process with this id.', 1)),
}

interface Place {
  readonly select: 'one' | 'all' | 'nth' | 'share' | 'oldest' | 'newest' | 'busiest'
  readonly nth?: number | undefined
  readonly share?: number | undefined
}

/** How workers are chosen. */
export interface WorkerSelection extends Place {
  readonly name?: string | readonly string[] | undefined
  readonly threadId?: number | undefined
  readonly windowMs?: number | undefined
  readonly where?: ((worker: WorkerDescription) => boolean) | undefined
}

/** How processes are chosen. */
export interface ProcessSelection extends Place {
  readonly pid?: number | undefined
}

/** Refuses options of a selection that do not go together. */
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
          `Expected \`${name}\` beside \`select: ${belongsTo}\` of ${fault}, got none.`,
        )
      if (select !== belongsTo && value !== undefined)
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          `Expected \`${name}\` of ${fault} with \`select: ${belongsTo}\` only, got it with \`select: ${select}\`.`,
        )
    }
  }

/**
 * The live workers of a target that a selection chooses.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when there is none, or none that fits
 */
export async function chooseWorkers(
  target: WorkerTarget,
  selection: WorkerSelection,
  context: InjectionContext,
): Promise<readonly WorkerLike[]> {
  const live = liveWorkers(target)
  if (live.length === 0) throw noneAlive('worker')
  const candidates = await fitting(live, selection, context)
  return selection.select === 'busiest'
    ? [await busiest(candidates, selection.windowMs ?? 100, context)]
    : place(candidates, selection, 'worker')
}

/**
 * The running processes of a target that a selection chooses.
 *
 * @throws ChaosError `CHAOS_NO_LIVE_WORKER` when there is none, or none that fits
 */
export function chooseProcesses(target: ProcessTarget, selection: ProcessSelection): readonly ProcessLike[] {
  const live = liveProcesses(target)
  if (live.length === 0) throw noneAlive('process')
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
      `Expected a live ${what} that the selection fits, got none. Compare names and ids with those of the target.`,
    )
  if (select === 'all') return candidates
  if (select === 'share') return candidates.slice(0, shareOf(candidates.length, share))
  const index = select === 'newest' ? candidates.length - 1 : select === 'nth' ? nth - 1 : 0
  if (index >= candidates.length)
    throw new ChaosError(
      'CHAOS_NO_LIVE_WORKER',
      `Expected the target to have at least ${nth} live ${what === 'worker' ? 'workers' : 'processes'}, got ${candidates.length}.`,
    )
  return candidates.slice(index, index + 1)
}

/** Rounded up, but not for what a binary fraction adds: 0.28 of 25 is 7. */
export const shareOf = (count: number, share: number): number => Math.ceil(count * share * (1 - 2 * Number.EPSILON))

/** Those that `threadId`, `name` and `where` fit. Names and data are read through the inspector, where they are asked for. */
async function fitting(
  live: readonly WorkerLike[],
  { threadId, name, where }: WorkerSelection,
  context: InjectionContext,
): Promise<readonly WorkerLike[]> {
  const byId = threadId === undefined ? live : live.filter((worker) => worker.threadId === threadId)
  if (name === undefined && where === undefined) return byId
  const isNamed = name === undefined ? () => true : globMatcher(typeof name === 'string' ? [name] : name)
  const inspector = inspectorOf(context)
  const fits = await Promise.all(
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
  return byId.filter((_worker, index) => fits[index])
}

/** Whether this version of Node.js gives its modules without `require`: from 20.16 and 22.3 on. */
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
  new ChaosError(
    'CHAOS_NO_LIVE_WORKER',
    `Expected the target to have a live ${what}, got none. Wait until one has started.`,
  )
