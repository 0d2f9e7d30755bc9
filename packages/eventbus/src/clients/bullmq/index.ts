import { allSeams, bindBus, type Bus, type SeamBinding, type Subscriber } from '../../seams/bus.js'
import { carriedBy, withCarried, type JobOptions } from './telemetry.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'

/** The members of a BullMQ queue that faults use. */
export interface BullQueueLike {
  readonly name: string
  add(name: never, data: never, options?: never): Promise<unknown>
  addBulk(jobs: never): Promise<unknown>
}

/** The members of a BullMQ worker that faults use. */
export interface BullWorkerLike {
  readonly name: string
  readonly opts: { readonly name?: string | undefined }
  run(): Promise<void>
  getNextJob(token: never, options?: never): Promise<unknown>
}

/** Both ends of one queue. Leave out an end that this process does not have. */
export interface BullQueueEnds {
  readonly queue?: BullQueueLike | undefined
  readonly worker?: BullWorkerLike | undefined
}

interface Job {
  readonly name: string
  readonly data: unknown
  readonly opts?: JobOptions
  readonly queue: unknown
  readonly attemptsStarted: number
  moveToWait(token: unknown): Promise<unknown>
}
type JobClass = new (queue: unknown, ...args: readonly unknown[]) => Job

/** The class of the jobs of a queue or worker. */
const jobClassOf = (owner: object): JobClass => Reflect.get(owner, 'Job') as JobClass

/**
 * Binds a queue and a worker of BullMQ. The name of a message is the name of its job. A subscriber is a worker, named by its
 * `name` option or else by its queue.
 *
 * The publish seam is `add`. While a fault covers a job of `addBulk`, `addBulk` adds its jobs one by one. Delivery is the
 * call of the processor: a failed delivery ends the attempt, and `attempts` decides on a retry; a dropped job completes
 * without processing. Acknowledgement is the completion of a job: if it is dropped, the job stays active until BullMQ
 * considers it stalled; if it is refused, the job waits again.
 */
export function bindBullmq({ queue, worker }: BullQueueEnds): Bus {
  return bindBus({
    kind: 'a queue of BullMQ',
    knowsSubscribers: true,
    carriesScopes: true,
    requeues: worker !== undefined && 'moveToWait' in jobClassOf(worker).prototype,
    seams: {
      publish: queue && allSeams(addSeam(queue), addBulkSeam(queue)),
      delivery: worker && processSeam(worker),
      ack: worker && completeSeam(worker),
    },
  })
}

function addSeam(queue: BullQueueLike): SeamBinding {
  return methodSeam({
    object: queue,
    // Beneath the telemetry of `add`.
    method: 'addJob' in queue ? 'addJob' : 'add',
    isAwaited: true,
    name: ([name]) => String(name),
    read: (args) => ({
      payload: args[1],
      isGone: () => Reflect.get(queue, 'closing') !== undefined,
      withPayload: (payload) => replaced(args, 1, payload),
      withBaggage: (write) => [args[0], args[1], withCarried(args[2] as JobOptions | undefined, write)],
      answer: () => Promise.resolve(new (jobClassOf(queue))(queue, ...args)),
    }),
  })
}

/** `addBulk` adds all jobs with one command. Adding them one by one lets a fault affect single jobs. */
function addBulkSeam(queue: BullQueueLike): SeamBinding {
  return (tap, steps) =>
    steps.patch(
      queue,
      'addBulk',
      (below) =>
        function (
          this: BullQueueLike,
          jobs: readonly { readonly name: never; readonly data: never; readonly opts?: never }[],
        ): unknown {
          if (!jobs.some(({ name }) => tap.covers(name))) return below.call.call(this, jobs) as unknown
          return Promise.all(jobs.map(({ name, data, opts }) => this.add(name, data, opts)))
        },
    )
}

const subscriberOf = (worker: BullWorkerLike): Subscriber => ({
  name: worker.opts.name ?? worker.name,
  identity: worker,
})

const isRedelivered = ({ attemptsStarted }: Job): boolean => attemptsStarted > 1

function processSeam(worker: BullWorkerLike): SeamBinding {
  return methodSeam<readonly [job: Job, ...rest: readonly unknown[]]>({
    object: worker,
    method: 'callProcessJob',
    isAwaited: true,
    name: ([job]) => job.name,
    read(args) {
      const [job] = args
      return {
        payload: job.data,
        baggage: () => carriedBy(job.opts),
        withPayload: (data) => replaced(args, 0, withData(job, data)),
        subscriber: subscriberOf(worker),
        isRedelivered: isRedelivered(job),
        answer: () => Promise.resolve(undefined),
      }
    },
  })
}

/** The same job with other data; the original stays as it is. */
const withData = (job: Job, data: unknown): object =>
  Object.create(job, { data: { value: data, writable: true, enumerable: true, configurable: true } }) as object

function completeSeam(worker: BullWorkerLike): SeamBinding {
  return methodSeam<readonly [returned: unknown, token: unknown, ...rest: readonly unknown[]], Job>({
    object: jobClassOf(worker).prototype as object,
    method: 'moveToCompleted',
    isAwaited: true,
    name: (_args, job) => (job.queue === worker ? job.name : undefined),
    read(args, job) {
      const [, token] = args
      return {
        payload: job.data,
        withPayload: () => args,
        subscriber: subscriberOf(worker),
        isRedelivered: isRedelivered(job),
        answer: () => Promise.resolve(undefined),
        // The move fails if BullMQ has found the job stalled meanwhile: the job then waits already.
        refuse: () =>
          job.moveToWait(token).then(
            () => undefined,
            () => undefined,
          ),
      }
    },
  })
}
