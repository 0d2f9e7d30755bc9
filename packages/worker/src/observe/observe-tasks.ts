import { ChaosError, inject, type Clock } from '@chaos/core'
import { checkOptions, defineFault, MAX_TIMER_MS, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { TaskLedger, type TaskAccount } from './task-ledger.js'

/** A pool that takes tasks: piscina and tinypool by `run`, workerpool by `exec`, or your own with any method. */
export type TaskPool = object

const schema = optionsSchema({
  method: option.optional(option.text('Method that takes tasks. Default: `run`, else `exec`.')),
  patienceMs: option.optional(
    option.durationMs('Time after which an unanswered task counts as silent, in ms.'),
    10_000,
  ),
  tasks: option.optional(
    option.count('Number of tasks to remember; the oldest that are done are forgotten first.', 1),
    100_000,
  ),
  idOf: option.optional(
    option.func<(...args: readonly unknown[]) => unknown>(
      'Returns the identity of a task from the arguments of the method.',
    ),
  ),
})

/** Options of {@link observeTasks}. */
export interface ObserveTasksOptions {
  /** The method that takes tasks and returns a promise. Default: `run`, else `exec`. */
  readonly method?: string
  /**
   * Returns the identity of a task from the arguments of the method. Default: the first argument; for `exec` the second, the
   * parameters. An object is identified by reference, so passing the same object again is a retry. Each string or number is
   * a new task.
   */
  readonly idOf?: (...args: readonly unknown[]) => unknown
  /** The time after which an unanswered task counts as silent, in ms. Default 10,000. */
  readonly patienceMs?: number
  /**
   * The number of tasks to remember. The oldest that are done are forgotten first, then the oldest that failed. Forgotten
   * tasks stay counted. Default 100,000.
   */
  readonly tasks?: number
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
}

/** The observation of a pool's tasks. */
export interface TaskObservation {
  /** The counts so far. */
  readonly account: TaskAccount
  /** The ids of the lost tasks, oldest first. */
  readonly lostTasks: readonly unknown[]
  /** Returns a function that reads one count, for a probe of an experiment: `read: tasks.probe('lost')`. */
  probe(reading: keyof TaskAccount): () => number
  /** Records that a task took effect. Call it where the effect happens: it reveals a task that ran twice but was answered once. */
  effect(id: unknown): void
  /** Stops observing and restores the pool. The counts stay available. */
  stop(): Promise<void>
}

/**
 * Counts the tasks of a pool: handed over, done, failed, silently lost, retried, duplicated.
 *
 * It reads the calls of the pool's method and the promises that the method returns, and changes neither.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the pool has no such method, `CHAOS_INVALID_OPTION` for an invalid option, or an error of
 *   `inject`.
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
    ledger.hand(safeIdOf(args), clock.now())
  /** The id of a task. If the caller's `idOf` throws, the task gets a new id, and the application's call goes on. */
  function safeIdOf(args: readonly unknown[]): unknown {
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

/** A fault that breaks nothing. As a fault it is patched in and rolled back like any other. */
const watchTasks = defineFault({
  name: 'worker/watch-tasks',
  kind: 'standing',
  summary: 'Watches the tasks of a pool.',
  options: {
    method: option.text('Method that takes tasks.'),
    record: option.func<(args: readonly unknown[]) => (outcome: 'result' | 'failure') => void>(
      'Records the arguments of a call and returns a function that records the outcome.',
    ),
  },
  target: {
    expects: 'a pool with a method that takes tasks: `run`, `exec`, or the one named by `method`',
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
            // The caller gets the pool's own promise. This branch of it handles its own rejection.
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
    'The pool has no method `run` or `exec`. Pass the name of the method that takes tasks as `method`.',
  )
}

/** Identifies an object by reference. A string or number cannot identify a task, so each one gets a new id. */
const identityOf = (task: unknown): unknown =>
  (typeof task === 'object' && task !== null) || typeof task === 'function' ? task : Symbol(String(task))
const byTask = (...[task]: readonly unknown[]): unknown => identityOf(task)
const byParameters = (...[, parameters]: readonly unknown[]): unknown => identityOf(parameters)

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
