import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { messageOf, onAbort, systemClock } from '@chaos/core/authoring'
import { givenUpError } from './given-up.js'
import { breaks } from './outcome.js'
import { pointId, type Hit, type Run, type Subject } from '../search/model.js'
import type { Description, IsolatedRun } from './isolated-run.js'

/** Where each run takes place: in a thread or a process of its own. */
export type Isolation = 'worker' | 'process'

/** A thread or a process that answers one question. */
interface Place {
  /** Calls back for each message, also for those of the application. */
  readonly onMessage: (listener: (message: unknown) => void) => void
  /** Settles with how the place ended. @throws Error if it could not be started. */
  readonly ended: Promise<string>
  readonly kill: () => Promise<unknown>
}

const NOUNS = { worker: 'thread', process: 'process' } as const
/** The time to start a thread or a process and load the module, in ms. */
const START_MS = 30_000
/** The time to answer beyond the deadline of the test, in ms: to end the faults, on a machine that may be busy. */
const ANSWER_MS = 3_000
/** The file that runs a test once, beside the entries of this package. */
const ENTRY = new URL('./isolated-run.js', import.meta.url).href

/** What a thread or process is asked: a function of that file, and its argument. */
interface Question {
  readonly call: 'isolatedRun' | 'describeModule'
  readonly job: object
  /** Tells the answer from messages of the application. */
  readonly id: string
}

/** What comes back: that the module is loaded, and then the answer. */
interface Message {
  readonly id: string
  readonly isLoaded?: true
  readonly result?: unknown
  readonly error?: string
}

const ANSWER = `import(${JSON.stringify(ENTRY)})
  .then((all) => all[question.call](question.job, () => post({ id: question.id, isLoaded: true })))
  .then((result) => ({ result }), (error) => ({ error: String(error?.message ?? error) }))
  .then((answer) => post({ id: question.id, ...answer }, () => process.exit()))`
const IN_WORKER = `const { parentPort, workerData: question } = require('node:worker_threads')
const post = (message) => parentPort.postMessage(message)
${ANSWER}`
// Nobody waits for the answer of a process whose parent is gone.
const IN_PROCESS = `process.once('disconnect', () => process.exit()).once('message', (question) => {
const post = process.send.bind(process)
${ANSWER}
})`

/** Describes a module, in a thread or process that loads it. @throws Error with the message of an error of the module. */
export async function describe(isolation: Isolation, module: string): Promise<Description> {
  const result = await ask(isolation, 'describeModule', { module }, {})
  if (typeof result === 'string') throw new Error(result)
  return result as Description
}

/**
 * Runs the test of a module in a fresh thread or process each time. What hangs or crashes there ends with it.
 *
 * @param signal Ends the run, and with it the thread or process.
 */
export function isolatedSubject(
  isolation: Isolation,
  job: Omit<IsolatedRun, 'plan'>,
  signal: AbortSignal | undefined,
): Subject {
  return async (plan) => {
    const startedAt = systemClock.now()
    const result = await ask(isolation, 'isolatedRun', { ...job, plan }, { deadlineMs: job.deadlineMs, signal })
    return typeof result === 'string' ? endedRun(plan, result, systemClock.now() - startedAt) : (result as Run)
  }
}

/**
 * Asks a fresh thread or process. Returns its answer, or how it ended without one.
 *
 * @throws Error with the message of an error of the module, or of `inject`.
 */
async function ask(
  isolation: Isolation,
  call: Question['call'],
  job: object,
  { deadlineMs = 0, signal }: { readonly deadlineMs?: number; readonly signal?: AbortSignal | undefined },
): Promise<unknown> {
  if (signal?.aborted === true) throw givenUpError(signal)
  const id = randomUUID()
  const { onMessage, ended, kill } = (isolation === 'worker' ? startWorker : startProcess)({ call, job, id })
  let [cancel, ignore] = [(): void => undefined, (): void => undefined]
  const answer = new Promise<unknown>((resolve, reject) => {
    const patience = (ms: number): void => {
      cancel()
      cancel = systemClock.after(ms, () => resolve(`The test hangs, and its ${NOUNS[isolation]} with it.`))
    }
    patience(START_MS)
    onMessage((message) => {
      const { id: of, isLoaded, result, error } = Object(message) as Partial<Message>
      if (of !== id) return
      if (isLoaded === true) patience(deadlineMs + ANSWER_MS)
      else if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    if (signal !== undefined) ignore = onAbort(signal, () => reject(givenUpError(signal)))
  })
  try {
    return await Promise.race([answer, ended])
  } finally {
    cancel()
    ignore()
    await kill()
  }
}

function startWorker(question: Question): Place {
  const worker = new Worker(IN_WORKER, { eval: true, workerData: question })
  return {
    onMessage: (listener) => void worker.on('message', listener),
    ended: new Promise((resolve) => {
      worker.once('error', (error) => resolve(`The thread of the test ended: ${messageOf(error)}`))
      worker.once('exit', (code) => resolve(`The thread of the test ended with code ${code}.`))
    }),
    kill: () => worker.terminate(),
  }
}

function startProcess(question: Question): Place {
  const child = spawn(process.execPath, ['-e', IN_PROCESS], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(`The process of the test ended with ${signal ?? `code ${code}`}.`))
  })
  // One that ends at once takes no question, which its end tells.
  child.send(question, () => undefined)
  return {
    onMessage: (listener) => void child.on('message', listener),
    ended,
    kill: () => {
      child.kill('SIGKILL')
      return ended
    },
  }
}

/** The run of a test that ended its thread or process: its faults are taken for landed. */
function endedRun(plan: readonly Hit[], reason: string, ms: number): Run {
  const points = new Map(plan.map(({ point, kind }) => [pointId(point), { point, kinds: [kind] }]))
  return {
    reached: [...points.values()],
    isCut: true,
    passed: [],
    landed: plan.map(() => true),
    outcome: breaks(reason),
    answer: '',
    ms,
  }
}
