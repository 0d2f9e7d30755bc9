import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import workerThreads, { type Worker } from 'node:worker_threads'
import { inject, type Fault, type Injection } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { seenBlocked } from '../../test/support.js'
import { exampleFolder, examplesOf } from '../../test/pages.js'
import {
  blockEventLoop,
  crashWorker,
  exhaustHeap,
  exitWorker,
  killReturningWorkers,
  observeTasks,
  observeWorkers,
  refuseStart,
  terminateWorker,
  type TaskObservation,
  type WorkerObservation,
} from '../index.js'

const [supervisorCode = '', workerCode = ''] = examplesOf('docs/recipes/supervise-a-worker.md')
const folder = exampleFolder()
const workerFile = folder.write('worker.mjs', workerCode)
afterAll(folder.remove)
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})

interface Supervisor {
  worker(): Worker
  run(task: { readonly number: number; readonly takesMs?: number }): Promise<number>
  stop(): Promise<void>
}

interface Scene {
  readonly supervisor: Supervisor
  readonly clock: ManualClock
  readonly seen: WorkerObservation
  readonly tasks: TaskObservation
  readonly arm: (fault: Fault<() => Worker>, how?: Parameters<typeof inject>[2]) => Promise<Injection>
  /** Lets time pass, no faster than outside, and work happen, until something holds: a slow machine runs into no deadline. */
  readonly until: (holds: () => void) => Promise<void>
}

let copies = 0

type Supervise = (start: () => Worker, how?: object) => Supervisor
const superviseOf = async (code = supervisorCode): Promise<Supervise> =>
  (
    (await import(/* @vite-ignore */ pathToFileURL(folder.write(`supervise-${(copies += 1)}.mjs`, code)).href)) as {
      supervise: Supervise
    }
  ).supervise

/** The supervisor of the recipe, with a mistake if one is made, a worker that is up, and all that watches it. */
async function play(code = supervisorCode): Promise<Scene> {
  const clock = manualClock()
  const supervise = await superviseOf(code)
  const supervisor = supervise(
    () => new workerThreads.Worker(workerFile, { resourceLimits: { maxOldGenerationSizeMb: 32 } }),
    { after: (work: () => void, ms: number) => clock.after(ms, work), deadlineMs: 5_000 },
  )
  expect(await supervisor.run({ number: 1 })).toBe(2)
  const seen = observeWorkers(supervisor.worker, { clock })
  const tasks = await observeTasks(supervisor, { clock, patienceMs: 2_000 })
  onTestFinished(async () => {
    seen.close()
    await tasks.stop()
    await supervisor.stop()
  })
  return {
    supervisor,
    clock,
    seen,
    tasks,
    arm: async (fault, how) => {
      const injection = await inject(fault, supervisor.worker, { leaseMs: 600_000, ...how })
      onTestFinished(async () => {
        await injection.rollback()
      })
      return injection
    },
    until: (holds) =>
      vi.waitFor(
        async () => {
          await clock.advance(10)
          holds()
        },
        { interval: 10 },
      ),
  }
}

/** Changes what comes of each message that a worker's holder would hear. */
function onAnswer(
  worker: Worker,
  change: (answer: unknown, emit: (event: string, value: unknown) => void) => void,
): void {
  const emit = worker.emit.bind(worker) as (event: string, value: unknown) => boolean
  Object.assign(worker, {
    emit: (event: string, value: unknown) => (event === 'message' ? change(value, emit) : emit(event, value)),
  })
}

describe('the supervisor of the recipe', () => {
  it.each<[string, () => Fault<() => Worker>]>([
    ['terminate-worker', () => terminateWorker()],
    ['exit-worker', () => exitWorker({ exitCode: 0 })],
    ['crash-worker', () => crashWorker()],
    ['crash-worker by a rejection', () => crashWorker({ by: 'rejection' })],
    ['exhaust-heap', () => exhaustHeap()],
  ])('brings its worker back after %s, and answers the task that ran', async (_name, fault) => {
    const { supervisor, seen, tasks, arm, until } = await play()
    const task = { number: 21, takesMs: 60_000 }
    const answer = supervisor.run(task)
    await arm(fault())
    task.takesMs = 0
    await until(() => expect([seen.deaths, seen.healed, tasks.account.pending]).toEqual([1, true, 0]))
    expect(await answer).toBe(42)
    expect(tasks.account).toMatchObject({ done: 1, lost: 0, duplicated: 0 })
  })

  it.each<[string, (worker: Worker) => void]>([
    ['its task is lost', (worker) => void vi.spyOn(worker, 'postMessage').mockReturnValue(undefined)],
    [
      'its answer cannot be cloned',
      (worker) => onAnswer(worker, (_answer, emit) => emit('messageerror', new Error('DataCloneError'))),
    ],
  ])('ends a worker that does not answer because %s, and answers the task by the next one', async (_name, fail) => {
    const { supervisor, clock, seen, tasks, until } = await play()
    fail(supervisor.worker())
    const answer = supervisor.run({ number: 21 })
    await clock.advance(5_000)
    await until(() => expect(seen.deaths).toBe(1))
    await until(() => expect([seen.healed, tasks.account.pending]).toEqual([true, 0]))
    expect(await answer).toBe(42)
    expect(tasks.account).toMatchObject({ done: 1, lost: 0 })
  })

  it('ends a worker that hangs, and answers the task by the next one', async () => {
    const { supervisor, clock, seen, arm, until } = await play()
    // Told for three periods ahead: long enough for time to be moved beyond the deadline.
    const injection = await arm(blockEventLoop({ periodMs: 5_000 }), { clock })
    await clock.advance(5_000)
    await seenBlocked(supervisor.worker())
    const answer = supervisor.run({ number: 21 })
    await clock.advance(5_000)
    await until(() => expect(seen.deaths).toBe(1))
    await injection.rollback()
    await until(() => expect(seen.healed).toBe(true))
    expect(await answer).toBe(42)
  })

  it('takes an answer once that comes twice, and none that is for somebody else', async () => {
    const { supervisor, tasks } = await play()
    onAnswer(supervisor.worker(), (answer, emit) => {
      emit('message', answer)
      emit('message', structuredClone(answer))
    })
    expect(await Promise.all([1, 2, 3].map((number) => supervisor.run({ number })))).toEqual([2, 4, 6])
    expect(tasks.account).toMatchObject({ done: 3, lost: 0 })
  })

  it('tells who asks when a message cannot be cloned, and goes on', async () => {
    const { supervisor } = await play()
    const task = { number: 1, takesMs: (() => undefined) as never }
    await expect(supervisor.run(task)).rejects.toMatchObject({ name: 'DataCloneError' })
    expect(await supervisor.run({ number: 2 })).toBe(4)
  })

  it('passes over an answer without its id, and asks again when nothing came in time', async () => {
    const { supervisor, clock, tasks, until } = await play()
    const damaged = new Promise<void>((resolve) =>
      onAnswer(supervisor.worker(), (answer, emit) => {
        emit('message', { ...(answer as object), id: undefined })
        resolve()
      }),
    )
    const answer = supervisor.run({ number: 21 })
    await damaged
    await clock.advance(5_000)
    await until(() => expect(tasks.account.done).toBe(1))
    expect(await answer).toBe(42)
  })

  it('tries again when no worker can be started, and pauses for longer each time', async () => {
    const { supervisor, clock, seen, arm, until } = await play()
    const refuse = await inject(refuseStart(), workerThreads)
    onTestFinished(async () => {
      await refuse.rollback()
    })
    await arm(terminateWorker())
    await until(() => expect(seen.deaths).toBe(1))
    // After 100, 200, 400 ms and so on.
    await clock.advance(6_300)
    expect(refuse.affected).toBe(6)
    await refuse.rollback()
    const answer = supervisor.run({ number: 21 })
    await clock.advance(6_400)
    await until(() => expect(seen.healed).toBe(true))
    expect(await answer).toBe(42)
  })

  it('gives a task up for which no worker can be started, and says so', async () => {
    const { supervisor, clock, tasks } = await play()
    const refuse = await inject(refuseStart(), workerThreads)
    onTestFinished(async () => {
      await refuse.rollback()
    })
    await supervisor.worker().terminate()
    const told = [1, 2].map((number) =>
      expect(supervisor.run({ number })).rejects.toThrow('No worker could be started for this task (attempt 3).'),
    )
    await clock.advance(100 + 200 + 400)
    await Promise.all(told)
    expect(tasks.account).toMatchObject({ pending: 0, silent: 0 })
    await refuse.rollback()
    const answer = supervisor.run({ number: 21 })
    await clock.advance(800)
    expect(await answer).toBe(42)
  })

  it.each([
    ['a text', "throw 'no'", 'no'],
    ['nothing', 'throw undefined', 'undefined'],
    ['an error without words', "throw new Error('')", ''],
    ['an error', "throw new Error('no')", 'no'],
  ])('rejects a task that throws %s', async (_what, code, message) => {
    const file = folder.write(`throws-${(copies += 1)}.mjs`, workerCode.replace('return number * 2', code))
    const supervise = await superviseOf()
    const supervisor = supervise(() => new workerThreads.Worker(file))
    onTestFinished(() => supervisor.stop())
    await expect(supervisor.run({ number: 1 })).rejects.toMatchObject({ message })
  })

  it('gives a task up that kills every worker, and says so', async () => {
    const { supervisor, clock, seen, arm, until } = await play()
    await arm(killReturningWorkers(), { clock, limit: 3 })
    const told = expect(supervisor.run({ number: 21, takesMs: 60_000 })).rejects.toThrow(
      'The worker died under this task (attempt 3).',
    )
    await until(() => expect(seen.deaths).toBe(3))
    await told
    expect(await Promise.all([supervisor.run({ number: 2 }), until(() => expect(seen.unanswered).toBe(0))])).toEqual([
      4,
      undefined,
    ])
  })

  it.each([['ready'], [{ metric: 1 }], [undefined], [null], [7]])(
    'passes over what its worker says beside answers, also while no task runs: %j',
    async (message) => {
      const { supervisor } = await play()
      supervisor.worker().emit('message', message)
      const answer = supervisor.run({ number: 21 })
      supervisor.worker().emit('message', message)
      expect(await answer).toBe(42)
    },
  )

  it('survives a worker that throws what is no error', async () => {
    const { supervisor } = await play()
    supervisor.worker().emit('error', null as never)
    expect(await supervisor.run({ number: 21 })).toBe(42)
  })

  it('pauses for no longer when its worker was well in between, though there was no task', async () => {
    const { supervisor, clock } = await play()
    for (let deaths = 1; deaths <= 4; deaths += 1) {
      const worker = supervisor.worker()
      if (deaths > 1) await once(worker, 'online')
      await clock.advance(1_000)
      await worker.terminate()
      await clock.advance(99)
      expect(supervisor.worker()).toBe(undefined)
      await clock.advance(1)
      expect(supervisor.worker()).not.toBe(undefined)
    }
  })

  it('does not storm in a crash loop', async () => {
    const { clock, seen, arm, until } = await play()
    const injection = await arm(killReturningWorkers(), { clock, limit: 8 })
    for (let pauseMs = 100; pauseMs <= 12_800; pauseMs *= 2) {
      const deaths = seen.restarts + 1
      await until(() => expect(seen.deaths).toBe(deaths))
      await clock.advance(pauseMs)
      await until(() => expect(seen.restarts).toBe(deaths))
    }
    expect(injection.affected).toBe(8)
    // Within 5 s there are few.
    expect(seen.intensity).toBeLessThanOrEqual(6)
  })
})

describe('a supervisor with a common mistake is caught', () => {
  /** The recipe with one line changed. */
  function mistaken(line: string, instead: string): string {
    expect(supervisorCode.split(line)).toHaveLength(2)
    return supervisorCode.replace(line, instead)
  }

  it('when the replacement is not watched', async () => {
    const { seen, arm, until, supervisor } = await play(
      mistaken("worker.once('exit', down)", "if (lastId < 2) worker.once('exit', down)"),
    )
    const task = { number: 2, takesMs: 60_000 }
    void supervisor.run(task)
    await arm(terminateWorker())
    task.takesMs = 0
    await until(() => expect([seen.deaths, seen.healed]).toEqual([1, true]))
    await arm(terminateWorker())
    await until(() => expect(seen.deaths).toBe(2))
    expect([seen.probe('healed')(), seen.unanswered]).toEqual([false, 1])
  })

  it('when it restarts without a pause', async () => {
    const { supervisor, clock, seen, arm, until } = await play(mistaken('cancelPause = after(up, pauseMs)', 'up()'))
    await arm(killReturningWorkers(), { clock, limit: 20 })
    // Time stands still but for the look that kills: how long a worker takes to start on this machine is no part of the storm.
    for (let kills = 0; kills < 20; kills += 1) {
      const gone = once(supervisor.worker(), 'exit')
      await clock.advance(10)
      await gone
    }
    await until(() => expect([seen.deaths, seen.unanswered]).toEqual([20, 0]))
    expect(seen.probe('intensity')()).toBe(20)
  })

  it('when it forgets the task under way', async () => {
    const { supervisor, clock, seen, tasks, arm, until } = await play(
      mistaken('if (job !== undefined) retry()', 'job = undefined'),
    )
    void supervisor.run({ number: 21, takesMs: 60_000 })
    await arm(terminateWorker())
    await until(() => expect(seen.restarts).toBe(1))
    await clock.advance(2_001)
    expect([tasks.account.silent, tasks.probe('lost')()]).toEqual([1, 1])
  })

  it('when it hears `error` and not `exit`', async () => {
    const { seen, arm, until } = await play(mistaken("worker.once('exit', down)", "worker.once('error', down)"))
    // By an error it is not found out: the demonstration works.
    await arm(crashWorker())
    await until(() => expect([seen.deaths, seen.restarts]).toEqual([1, 1]))
    await arm(exitWorker())
    await until(() => expect(seen.deaths).toBe(2))
    expect([seen.probe('healed')(), seen.unanswered]).toEqual([false, 1])
  })
})
