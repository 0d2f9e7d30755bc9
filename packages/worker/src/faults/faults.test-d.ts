import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import workerThreads, { type Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { it } from 'vitest'
import {
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  freezeProcess,
  killReturningWorkers,
  observeTasks,
  observeWorkers,
  refuseStart,
  signalProcess,
  stressCpu,
  stressMemory,
  trackWorkers,
} from '../index.js'

declare const worker: Worker
declare const child: ChildProcess

it('takes threads where a thread is meant', () => {
  void inject(exitWorker({ exitCode: 3, select: 'newest' }), worker)
  void inject(crashWorker({ by: 'rejection', when: 'mid-task' }), [worker])
  void inject(exhaustHeap(), () => [worker])
  void inject(blockEventLoop({ duty: 0.5 }), { threads: [worker] })
  void inject(killReturningWorkers(), worker)
  // @ts-expect-error -- a process is no thread
  void inject(exitWorker(), child)
  // @ts-expect-error -- an event bus is no worker
  void inject(blockEventLoop(), new EventEmitter())
  // @ts-expect-error -- no such way to crash
  crashWorker({ by: 'accident' })
})

it('takes processes where a process is meant', () => {
  void inject(signalProcess({ signal: 'SIGTERM' }), child)
  void inject(freezeProcess(), [child])
  void inject(killReturningWorkers(), () => [child])
  void inject(blockMainThread({ blockMs: 5 }), process)
  // @ts-expect-error -- a thread is no process
  void inject(signalProcess(), worker)
  // @ts-expect-error -- the length of the blocks is required
  blockMainThread()
})

it('takes the module where starting is meant', () => {
  void inject(refuseStart({ failure: 'DataCloneError' }), workerThreads)
  void inject(delayStart(), workerThreads)
  // @ts-expect-error -- a worker has started already
  void inject(delayStart(), worker)
})

it('takes this process where the machine is meant', () => {
  void inject(stressCpu({ cores: 2, load: 0.5 }), process)
  void inject(stressMemory({ sizeMb: 64 }), process)
  // @ts-expect-error -- another process has no machine of its own
  void inject(stressCpu(), child)
  // @ts-expect-error -- no such option
  stressMemory({ cores: 1 })
})

it('watches what can be hurt, and hands its readings out with their types', () => {
  const healed: () => boolean = observeWorkers(() => worker, { isGood: (message) => message === 'ready' }).probe(
    'healed',
  )
  const lost: Promise<() => number> = observeTasks({ run: () => Promise.resolve() }).then((tasks) =>
    tasks.probe('lost'),
  )
  void healed()
  void lost
  void inject(exitWorker(), trackWorkers())
  // @ts-expect-error -- no such reading
  observeWorkers(worker).probe('happy')
  // @ts-expect-error -- an event bus is no worker
  observeWorkers(new EventEmitter())
})
