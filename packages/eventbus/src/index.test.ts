import { expect, it } from 'vitest'
import * as eventbus from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(eventbus).sort()).toEqual([
    'bindBus',
    'bindChannel',
    'corruptEvents',
    'delayEvents',
    'disconnectClient',
    'dropEvents',
    'duplicateEvents',
    'bindEmitter',
    'bindEventTarget',
    'failCloning',
    'failListeners',
    'isBus',
    'lagConsumer',
    'loseAcks',
    'methodSeam',
    'nackEvents',
    'observeDelivery',
    'partitionBus',
    'poisonEvents',
    'redeliverEvents',
    'reorderEvents',
    'stallListeners',
    'bindSubject',
    'throttleEvents',
  ])
})
