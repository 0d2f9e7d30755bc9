import { expect, it } from 'vitest'
import * as worker from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(worker).sort()).toEqual([
    'blockEventLoop',
    'blockMainThread',
    'crashWorker',
    'delayStart',
    'exhaustHeap',
    'exitWorker',
    'freezeProcess',
    'killReturningWorkers',
    'observeTasks',
    'observeWorkers',
    'refuseStart',
    'signalProcess',
    'stressCpu',
    'stressMemory',
    'terminateWorker',
    'trackWorkers',
  ])
})
