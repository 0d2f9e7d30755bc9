import { expect, it } from 'vitest'
import * as eventbus from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(eventbus).sort()).toEqual([
    'bindBus',
    'bindChannel',
    'bindEmitter',
    'bindEventTarget',
    'bindSubject',
    'corruptEvents',
    'delayEvents',
    'disconnectClient',
    'dropEvents',
    'duplicateEvents',
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
    'throttleEvents',
  ])
})
