import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { assertType, describe, expectTypeOf, it } from 'vitest'
import { append, delay, drop } from '../../test/faults.js'
import type { ChaosController } from './chaos-controller.js'
import { createChaos, target } from './create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import type { Fault } from '../fault/fault.js'
import { inject } from '../injection/inject.js'
import type { Injection } from '../injection/injection.js'

const chaos = createChaos({
  targets: { bus: target(new EventEmitter(), [delay, drop]), list: target([] as string[], [append]) },
})
const kill = defineFault({
  name: 'test/kill-worker',
  kind: 'instant',
  summary: '',
  options: {},
  target: { expects: '', accepts: () => true },
  inject: (_worker: Worker) => undefined,
})

declare const worker: Worker

describe('inject by name', () => {
  it('knows targets, their faults and their options', () => {
    expectTypeOf(chaos.inject('bus', 'delay-events', { delayMs: 5 })).toEqualTypeOf<Promise<Injection>>()
    void chaos.inject('bus', 'test/delay-events', { delayMs: 5 }, { rate: 0.5, only: ['a', 'b'] })
    void chaos.inject('bus', 'drop-events')
    void chaos.inject('bus', 'drop-events', {}, { scope: { route: ['GET /a', 'GET /b'], sessions: 0.1, seed: 7 } })
    // @ts-expect-error -- a condition that there is not
    void chaos.inject('bus', 'drop-events', {}, { scope: { rout: 'GET /a' } })
    // @ts-expect-error -- a share is a number
    void chaos.inject('bus', 'drop-events', {}, { scope: { sessions: '10%' } })
    // @ts-expect-error -- no such target
    void chaos.inject('bsu', 'drop-events')
    // @ts-expect-error -- a fault of another target
    void chaos.inject('bus', 'append-item', { item: 'x' })
    // @ts-expect-error -- an option is missing
    void chaos.inject('bus', 'delay-events')
    // @ts-expect-error -- an option that there is not
    void chaos.inject('bus', 'delay-events', { delay: 5 })
    // @ts-expect-error -- a value of the wrong type
    void chaos.inject('bus', 'delay-events', { delayMs: '5' })
  })

  it('knows a late target by its handle', () => {
    const handle = chaos.target('late', new EventEmitter(), [delay])
    void handle.inject('delay-events', { delayMs: 5 })
    // @ts-expect-error -- a fault it was not given
    void handle.inject('drop-events')
  })
})

describe('a fault and its target', () => {
  it('go together: a worker is an emitter, an emitter is no worker', () => {
    void inject(drop(), worker)
    void inject(kill(), worker)
    // @ts-expect-error -- a worker fault on an event bus
    void inject(kill(), new EventEmitter())
    // @ts-expect-error -- the same, by a controller
    target(new EventEmitter(), [kill])
    assertType<Fault<Worker>>(drop())
    // @ts-expect-error -- targets are contravariant
    assertType<Fault<EventEmitter>>(kill())
  })
})

it('gives a plain controller to endpoints and experiments', () => {
  expectTypeOf(chaos.controller).toEqualTypeOf<ChaosController>()
})

describe('a Chaos', () => {
  it('is taken wherever a controller is', () => {
    assertType<ChaosController>(chaos)
  })
})
