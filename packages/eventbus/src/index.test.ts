import { expect, it } from 'vitest'
import * as eventbus from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(eventbus).sort()).toEqual([
    'bindBus',
    'corruptEvents',
    'delayEvents',
    'disconnectClient',
    'dropEvents',
    'duplicateEvents',
    'emitterBus',
    'eventTargetBus',
    'failListeners',
    'isBus',
    'lagConsumer',
    'loseAcks',
    'methodSeam',
    'nackEvents',
    'observeDelivery',
    'partitionBus',
    'poisonEvents',
    'portBus',
    'redeliverEvents',
    'reorderEvents',
    'stallListeners',
    'subjectBus',
    'throttleEvents',
  ])
})
