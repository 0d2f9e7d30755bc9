import { ChaosError, inject, type Clock } from '@chaos/core'
import { checkOptions, defineFault, MAX_TIMER_MS, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { TaskLedger, type TaskAccount } from './task-ledger.js'

/** What takes tasks: piscina and tinypool by `run`, workerpool by `exec`, a supervisor of your own by either, or by any method that is named. */
export type TaskPool = object

const schema = optionsSchema({
  method: option.optional(option.text('The method by which tasks are handed over. Default: `run`, else `exec`.')),
  patienceMs: option.optional(
    option.durationMs('A task that is unanswered for longer, in ms, is lost silently.'),
    10_000,
  ),
  tasks: option.optional(
    option.count('How many tasks are remembered at most; the oldest that are done are forgotten first.', 1),
    100_000,
  ),
  idOf: option.optional(
    option.func<(...args: readonly unknown[]) => unknown>(
      'What tells one task from another, by the arguments of the method.',
    ),
  ),
})

/** Options of {@link observeTasks}. */
export interface ObserveTasksOptions {
  /** The method by which tasks are handed over; it returns a promise. Default: `run`, else `exec`. */
  readonly method?: string
  /**
   * What tells one task from another, by the arguments of the method. Default: the task itself, for `exec` its parameters: objects by
   * identity, so that the same one handed over again is a retry; each text or number is a task of its own.
   */
  readonly idOf?: (...args: readonly unknown[]) => unknown
  /** A task that is unanswered for longer, in ms, is lost silently. Default 10,000. */
  readonly patienceMs?: number
  /** How many tasks are remembered at most; the oldest that are done are forgotten first, then the oldest that failed. All stay counted. Default 100,000. */
  readonly tasks?: number
  /** Default: the real clock. */
  readonly clock?: Clock
}

/** Watches the tasks of a pool. */
export interface TaskObservation {
  /** How they fared until now. */
  readonly account: TaskAccount
  /** The tasks that were lost, by what tells them apart, oldest first. */
  readonly lostTasks: readonly unknown[]
  /** A reading as a function, as a probe of an experiment takes it: `read: tasks.probe('lost')`. */
  probe(reading: keyof TaskAccount): () => number
  /** Records that a task took effect, where it does: a task that ran twice and answered once is a duplicate that no answer shows. */
  effect(id: unknown): void
  /** Stops watching; the pool is then as it was found. What was seen stays. */
  stop(): Promise<void>
}

/**
 * Keeps account of the tasks of a pool: handed over, done, lost with or without a word, retried, done twice.
 *
 * It reads what the pool's callers see, its method and the promises it returns, and changes neither.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when the pool has no such method, `CHAOS_INVALID_OPTION`, and whatever `inject` throws
 */
export async function observeTasks(
  pool: TaskPool,
  { clock = systemClock, ...given }: ObserveTasksOptions = {},
): Promise<TaskObservation> {
  const {
    method = methodOf(pool),
    idOf = method === 'exec' ? byParameters : byTask,
    patienceMs,
    tasks,
  } = checkOptions(schema, given, 'observeTasks')
  const ledger = new TaskLedger(patienceMs, tasks)
  const record = (args: readonly unknown[]): ((outcome: 'result' | 'failure') => void) =>
    ledger.hand(known(args), clock.now())
  /** A function of the caller's; a task on which it throws is one of its own, and the application's call goes on. */
  function known(args: readonly unknown[]): unknown {
    try {
      return idOf(...args)
    } catch {
      return Symbol('unknown')
    }
  }
  const watch = await inject(watchTasks({ method, record }), pool, { leaseMs: MAX_TIMER_MS })
  const account = (): TaskAccount => ledger.account(clock.now())
  return {
    get account() {
      return account()
    },
    get lostTasks() {
      return ledger.lost(clock.now())
    },
    probe: (reading) => () => account()[reading],
    effect: (id) => ledger.effect(id),
    stop: async () => {
      await watch.rollback()
    },
  }
}

/** Lets every task pass and shows it: a fault that breaks nothing, so that it is laid and taken back as faults are. */
const watchTasks = defineFault({
  name: 'worker/watch-tasks',
  kind: 'standing',
  summary: 'Watches the tasks of a pool.',
  options: {
    method: option.text('The method by which tasks are handed over.'),
    record: option.func<(args: readonly unknown[]) => (outcome: 'result' | 'failure') => void>(
      'Gets the arguments of each call; returns what gets its outcome.',
    ),
  },
  target: {
    expects: 'a pool with a method that takes tasks, `run` or `exec`, or the one that `method` names',
    accepts: (value) => typeof value === 'object' && value !== null,
  },
  inject(pool: TaskPool, { method, record }, { patch }) {
    patch(
      pool,
      method,
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const settle = record(args)
          try {
            const answer: unknown = Reflect.apply(below.call, this, args)
            // The promise that the caller gets is the pool's own; this branch of it is nobody else's.
            if (isThenable(answer))
              answer.then(
                () => settle('result'),
                () => settle('failure'),
              )
            else settle('result')
            return answer
          } catch (error) {
            settle('failure')
            throw error
          }
        },
    )
  },
})

function methodOf(pool: unknown): string {
  const found =
    typeof pool === 'object' && pool !== null
      ? ['run', 'exec'].find((name) => typeof (pool as Record<string, unknown>)[name] === 'function')
      : undefined
  if (found !== undefined) return found
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    'Expected a pool with a method `run` or `exec`, got none. Name the method by which it takes tasks: `method`.',
  )
}

/** A text or number says nothing of who it is: each one is a task of its own. */
const identified = (task: unknown): unknown =>
  (typeof task === 'object' && task !== null) || typeof task === 'function' ? task : Symbol(String(task))
const byTask = (...[task]: readonly unknown[]): unknown => identified(task)
const byParameters = (...[, parameters]: readonly unknown[]): unknown => identified(parameters)

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
