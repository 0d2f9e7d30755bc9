import { expect, it } from 'vitest'
import * as worker from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(worker).sort()).toEqual([
    'blockEventLoop',
    'blockMainThread',
    'corruptMessages',
    'crashWorker',
    'delayMessages',
    'delayStart',
    'dropMessages',
    'duplicateMessages',
    'exhaustHeap',
    'exitWorker',
    'failCloning',
    'freezeProcess',
    'killReturningWorkers',
    'observeTasks',
    'observeWorkers',
    'refuseStart',
    'reorderMessages',
    'signalProcess',
    'stressCpu',
    'stressMemory',
    'terminateWorker',
    'trackWorkers',
  ])
})
