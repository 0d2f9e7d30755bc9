import type { AnyFunction } from '@chaos/core/authoring'
import { allSeams, bindBus, type Bus, type SeamBinding, type Subscriber } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'

/** A queue of BullMQ, as far as faults need it. */
export interface BullQueueLike {
  readonly name: string
  add(name: never, data: never, options?: never): Promise<unknown>
  addBulk(jobs: never): Promise<unknown>
}

/** A worker of BullMQ, as far as faults need it. */
export interface BullWorkerLike {
  readonly name: string
  readonly opts: { readonly name?: string | undefined }
  run(): Promise<void>
  getNextJob(token: never, options?: never): Promise<unknown>
}

/** Both ends of one queue. Leave out what is elsewhere. */
export interface BullQueueEnds {
  readonly queue?: BullQueueLike | undefined
  readonly worker?: BullWorkerLike | undefined
}

interface Job {
  readonly name: string
  readonly data: unknown
  readonly queue: unknown
  readonly attemptsStarted: number
  moveToWait(token: unknown): Promise<unknown>
}
type JobClass = new (queue: unknown, ...args: readonly unknown[]) => Job

/** The class of the jobs of a queue or worker. */
const jobClassOf = (owner: object): JobClass => Reflect.get(owner, 'Job') as JobClass

/**
 * Binds a queue and a worker of BullMQ. A message's name is the name of its job; a subscriber is a worker, by its `name` option or else its queue.
 *
 * Publishing is `add`; while it is covered, `addBulk` adds its jobs one by one. Delivery is the call of the processor: one that fails ends the attempt, and
 * `attempts` decides whether there is another; a job that is dropped completes without having been processed. Acknowledgement is the completion
 * of a job: one that is lost leaves it active until it is taken for stalled, one that is given back waits again.
 */
export function bindBullmq({ queue, worker }: BullQueueEnds): Bus {
  return bindBus({
    kind: 'a queue of BullMQ',
    knowsSubscribers: true,
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
    method: 'add',
    isAwaited: true,
    name: ([name]) => String(name),
    payload: 1,
    answer: (args) => Promise.resolve(new (jobClassOf(queue))(queue, ...args)),
  })
}

/** Jobs that are added at once are one command: they can be told apart only where they are added one by one. */
function addBulkSeam(queue: BullQueueLike): SeamBinding {
  return (tap, steps) =>
    steps.patch(
      queue,
      'addBulk',
      (below: { readonly call: AnyFunction }) =>
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
  const jobAt = (args: readonly unknown[]): Job => args[0] as Job
  return methodSeam({
    object: worker,
    method: 'callProcessJob',
    isAwaited: true,
    name: (args) => jobAt(args).name,
    payload: {
      read: (args) => jobAt(args).data,
      replace: (args, data) =>
        replaced(
          args,
          0,
          Object.create(jobAt(args), { data: { value: data, writable: true, enumerable: true, configurable: true } }),
        ),
    },
    subscriber: () => subscriberOf(worker),
    isRedelivered: (args) => isRedelivered(jobAt(args)),
    answer: () => Promise.resolve(undefined),
  })
}

function completeSeam(worker: BullWorkerLike): SeamBinding {
  return methodSeam({
    object: jobClassOf(worker).prototype as object,
    method: 'moveToCompleted',
    isAwaited: true,
    name: (_args, self) => ((self as Job).queue === worker ? (self as Job).name : undefined),
    payload: { read: (_args, self) => (self as Job).data, replace: (args) => args },
    subscriber: () => subscriberOf(worker),
    isRedelivered: (_args, self) => isRedelivered(self as Job),
    answer: () => Promise.resolve(undefined),
    // A job that was taken for stalled meanwhile waits already.
    refuse: ([, token], self) =>
      (self as Job).moveToWait(token).then(
        () => undefined,
        () => undefined,
      ),
  })
}
