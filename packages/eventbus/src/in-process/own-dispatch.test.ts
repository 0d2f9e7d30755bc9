import { EventEmitter } from 'node:events'
import { inject, type Fault, type Injection } from '@chaos/core'
import { manualClock, shapeDifference, shapeOf, type ManualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { corruptEvents } from '../faults/corrupt-events.js'
import { failListeners } from '../faults/fail-listeners.js'
import type { BusTarget } from './bus-target.js'
import { deliveryOf } from './delivery-of.js'

type Handler = (payload: unknown) => unknown

/** Calls its handlers itself and then again through `super.emit`, as the bus of the journal does. */
class TwiceBus extends EventEmitter {
  readonly lags: number[] = []
  constructor(readonly now: () => number = () => 0) {
    super()
  }
  override emit(event: string, ...args: unknown[]): boolean {
    const start = this.now()
    const calls = this.listeners(event).map((listener) => Reflect.apply(listener, this, args) as unknown)
    void Promise.allSettled(calls).then(() => this.lags.push(this.now() - start))
    return super.emit(event, ...args)
  }
}

/** Awaits its handlers, by priority, and takes those of `once` off its list itself. */
class PriorityBus extends (EventEmitter as new () => Omit<EventEmitter, 'emit'>) {
  async emit(event: string, payload: unknown): Promise<boolean> {
    const byPriority = [...this.rawListeners(event)] as (Handler & { priority?: number })[]
    byPriority.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
    for (const listener of byPriority) {
      await listener(payload)
      if ('isOnce' in listener) this.off(event, listener)
    }
    return byPriority.length > 0
  }
}

/** Passes events on to the listeners of patterns, below `super.emit`. */
class WildcardBus extends TwiceBus {
  override emit(event: string, ...args: unknown[]): boolean {
    for (const listener of this.listeners('*')) Reflect.apply(listener, this, [event, ...args])
    return super.emit(event, ...args)
  }
}

async function broken<Bus extends BusTarget & object>(
  fault: Fault<BusTarget>,
  make: (clock: ManualClock) => Bus,
): Promise<{ bus: Bus; clock: ManualClock; injection: Injection }> {
  const clock = manualClock()
  const bus = make(clock)
  const injection = await inject(fault, bus, { clock, only: 'tick' })
  onTestFinished(async () => {
    await injection.rollback()
  })
  return { bus, clock, injection }
}
const twice = (clock: ManualClock): TwiceBus => new TwiceBus(() => clock.now())
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a bus that calls its listeners itself', () => {
  it('gives them an event late as often as in health, all at once, and measures the lag', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), twice)
    const got: number[] = []
    bus.on('tick', () => got.push(clock.now()))
    bus.once('tick', () => got.push(clock.now()))
    const start = clock.now()
    expect(bus.emit('tick', 1)).toBe(true)
    await clock.advance(99)
    expect([got, injection.account]).toMatchObject([[], { sent: 1, delivered: 0, held: 1 }])
    await clock.advance(1)
    await turn()
    expect(got.map((at) => at - start)).toEqual([100, 100, 100, 100])
    expect(bus.lags).toEqual([100])
    expect(injection.account).toMatchObject({ sent: 1, delivered: 1, held: 0, dropped: 0 })
  })

  it('returns and throws what its listeners do for an event that passes', async () => {
    const bus = new TwiceBus()
    const injection = await inject(delayEvents({ delayMs: 100 }), bus, { only: 'tick', rate: 0 })
    const error = new Error('mine')
    bus.on('tick', () => {
      throw error
    })
    expect(() => bus.emit('tick')).toThrow(error)
    expect(injection.account).toMatchObject({ sent: 1, delivered: 1 })
    await injection.rollback()
  })

  it('keeps a bus that awaits its listeners waiting, in its order, and lets it take its own once listeners off', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new PriorityBus())
    const got: string[] = []
    const low = Object.assign(() => void got.push('low'), { priority: 1, isOnce: true })
    const high = Object.assign((): unknown => Promise.resolve(void got.push('high')), { priority: 2 })
    bus.on('tick', low).on('tick', high as () => void)
    let isDone = false
    const emitted = bus.emit('tick', 1).then((answer) => (isDone = answer))
    await turn()
    expect([got, isDone]).toEqual([[], false])
    await clock.advance(100)
    await emitted
    expect([got, bus.listenerCount('tick'), injection.account]).toMatchObject([
      ['high', 'low'],
      1,
      { sent: 1, delivered: 1 },
    ])
  })

  it('drops an event for all of them, also for those that the bus calls later', async () => {
    const got: unknown[] = []
    const { bus, injection } = await broken(dropEvents(), () => new PriorityBus())
    bus.on('tick', (n) => got.push(n)).on('tick', (n) => got.push(n))
    expect(await bus.emit('tick', 1)).toBe(true)
    const other = await broken(dropEvents(), twice)
    other.bus.on('tick', (n) => got.push(n))
    other.bus.emit('tick', 1)
    expect([got, injection.account, other.injection.account]).toMatchObject([
      [],
      { sent: 1, dropped: 1 },
      { sent: 1, dropped: 1 },
    ])
  })

  it('repeats and damages an event wherever the bus passes it on', async () => {
    const got: unknown[] = []
    const { bus, injection } = await broken(duplicateEvents(), twice)
    bus.on('tick', (n) => got.push(n))
    bus.emit('tick', 1)
    expect([got, injection.account]).toMatchObject([[1, 1, 1, 1], { sent: 1, duplicated: 1, delivered: 2 }])
    got.length = 0
    await injection.rollback()
    const damaged = await inject(corruptEvents({ damage: 'set', at: 'id', value: 9 }), bus)
    bus.emit('tick', { id: 1 })
    await damaged.rollback()
    expect(got).toEqual([{ id: 9 }, { id: 9 }])
  })

  it('reaches one listener by its name wherever the bus calls it', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100, subscriber: 'slow' }), twice)
    const got: string[] = []
    bus.on('tick', function slow() {
      got.push('slow')
    })
    bus.on('tick', function fast() {
      got.push('fast')
    })
    bus.emit('tick')
    expect(got).toEqual(['fast', 'fast'])
    await clock.advance(100)
    expect(got).toEqual(['fast', 'fast', 'slow', 'slow'])
    expect(injection.account).toMatchObject({ sent: 2, delivered: 2, held: 0 })
  })

  it('gets the error of a listener that fails where the bus itself calls it', async () => {
    const { bus } = await broken(failListeners(), twice)
    bus.on('tick', () => undefined)
    expect(() => bus.emit('tick')).toThrow('The listener failed.')
  })

  it('does not give an event to a listener that left while the event was held', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), twice)
    const got: string[] = []
    const leaving = (): void => void got.push('leaving')
    bus.on('tick', leaving).on('tick', () => got.push('staying'))
    bus.emit('tick')
    bus.off('tick', leaving)
    bus.on('tick', () => got.push('new'))
    await clock.advance(100)
    expect(got).toEqual(['staying', 'staying', 'new'])
    expect(injection.account).toMatchObject({ sent: 1, delivered: 1 })
  })

  it('passes an event of a pattern and its own emits on as in health', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new WildcardBus())
    const got: unknown[] = []
    bus.on('*', (name) => got.push(name))
    bus.on('tick', () => bus.emit('tock'))
    bus.on('tock', () => got.push('heard'))
    bus.emit('tick')
    await clock.advance(100)
    expect(got.filter((name) => name === 'heard')).toHaveLength(4)
    expect(injection.account).toMatchObject({ sent: 1, delivered: 1, held: 0 })
  })

  it('adds up two faults over each other', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), twice)
    const second = await inject(delayEvents({ delayMs: 50 }), bus, { clock })
    const got: number[] = []
    bus.on('tick', () => got.push(clock.now()))
    const start = clock.now()
    bus.emit('tick')
    await clock.advance(50)
    await clock.advance(100)
    expect(got.map((at) => at - start)).toEqual([150, 150])
    expect([injection.account, second.account]).toMatchObject([
      { sent: 1, delivered: 1, held: 0 },
      { sent: 1, delivered: 1, held: 0 },
    ])
    await second.rollback()
  })

  it('may keep the list of its listeners, also beyond the fault', async () => {
    class Caching extends EventEmitter {
      cached: readonly ((...args: unknown[]) => unknown)[] | undefined
      override emit(event: string, ...args: unknown[]): boolean {
        this.cached ??= this.listeners(event) as ((...args: unknown[]) => unknown)[]
        for (const listener of this.cached) listener(...args)
        return true
      }
    }
    const { bus, clock, injection } = await broken(dropEvents(), () => new Caching())
    const got: unknown[] = []
    bus.on('tick', (n) => got.push(n))
    bus.emit('tick', 1)
    bus.emit('tick', 2)
    expect([got, injection.account]).toMatchObject([[], { sent: 2, dropped: 2 }])
    await clock.advance(1)
    await injection.rollback()
    bus.emit('tick', 3)
    expect(got).toEqual([3])
  })

  it('may have a list of its own behind listeners()', async () => {
    class OwnList extends EventEmitter {
      readonly handlers: (() => unknown)[] = []
      override listeners(_event: string): (() => unknown)[] {
        return [...this.handlers]
      }
      override emit(event: string, ...args: unknown[]): boolean {
        for (const listener of this.listeners(event)) Reflect.apply(listener, this, args)
        return super.emit(event, ...args)
      }
    }
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new OwnList())
    const got: string[] = []
    bus.handlers.push(() => got.push('own'))
    bus.on('tick', () => got.push('on'))
    bus.emit('tick')
    expect(got).toEqual([])
    await clock.advance(100)
    expect([got, injection.account]).toMatchObject([['own', 'on'], { sent: 1, delivered: 1 }])
  })

  it('may pass events on in a later turn', async () => {
    class Later extends EventEmitter {
      override emit(event: string, ...args: unknown[]): boolean {
        setImmediate(() => {
          for (const listener of this.rawListeners(event)) Reflect.apply(listener, this, args)
        })
        return true
      }
    }
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new Later())
    const got: unknown[] = []
    bus.once('tick', (n) => got.push(n))
    bus.emit('tick', 1)
    await turn()
    await turn()
    expect([got, injection.held]).toEqual([[], 1])
    await clock.advance(100)
    expect([got, bus.listenerCount('tick'), injection.account]).toMatchObject([[1], 0, { sent: 1, delivered: 1 }])
  })

  it('is as it was after the fault', async () => {
    const bus = new TwiceBus()
    const before = [bus, TwiceBus.prototype, EventEmitter.prototype].map(shapeOf)
    const injection = await inject(delayEvents({ delayMs: 100 }), bus)
    bus.on('tick', () => undefined).emit('tick')
    bus.removeAllListeners()
    await injection.rollback()
    const after = [bus, TwiceBus.prototype, EventEmitter.prototype].map(shapeOf)
    expect(before.map((shape, index) => shapeDifference(shape, after[index] as typeof shape))).toEqual(
      before.map(() => undefined),
    )
  })
})

describe('the place where a bus delivers', () => {
  class Plain extends EventEmitter {}
  class Counting extends EventEmitter {
    override emit(...args: [string]): boolean {
      return super.emit(...args)
    }
  }
  class OfHelpers extends EventEmitter {
    override emit(name: string): boolean {
      return this.#pass(name)
    }
    #pass(name: string): boolean {
      return super.emit(name)
    }
  }
  class OwnMap extends EventEmitter {
    readonly handlers = new Map<string, Handler[]>()
    override emit(name: string, payload?: unknown): boolean {
      for (const handler of this.handlers.get(name) ?? []) handler(payload)
      return true
    }
  }
  class NamedList extends EventEmitter {
    override listeners = new Map<string, Handler[]>() as never
    override emit(name: string): boolean {
      for (const handler of (this.listeners as Map<string, Handler[]>).get(name) ?? []) handler(undefined)
      return true
    }
  }
  class Private extends EventEmitter {
    override emit(name: string): boolean {
      const { _events: events } = this as unknown as { readonly _events: Record<string, Handler> }
      events[name]?.(undefined)
      return super.emit(name)
    }
  }
  it.each<[string, EventEmitter, string]>([
    ['an emitter', new EventEmitter(), 'emit'],
    ['a class without an emit of its own', new Plain(), 'emit'],
    ['a class that calls super.emit', new Counting(), 'super'],
    ['a class that calls super.emit in a helper', new OfHelpers(), 'super'],
    ['a class that asks for its listeners', new TwiceBus(), 'listeners'],
    ['a class derived from such a class', new WildcardBus(), 'listeners'],
    ['a class with a list of its own', new OwnMap(), 'emit'],
    ['a class with a list of its own of that name', new NamedList(), 'emit'],
    ['a class that reads the private list', new Private(), 'emit'],
  ])('is found for %s', (_what, bus, at) => {
    expect(deliveryOf(bus).at).toBe(at)
  })

  it('delays every call of a bus with a list of its own', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new OwnMap())
    const got: unknown[] = []
    bus.handlers.set('tick', [(n) => got.push(n)])
    bus.emit('tick', 1)
    expect(got).toEqual([])
    await clock.advance(100)
    expect([got, injection.account]).toMatchObject([[1], { sent: 1, delivered: 1 }])
  })
})

/** Calls handlers of its own `Map`, and then `super.emit` for those who tap in. */
class HandlerMapBus extends EventEmitter {
  readonly handlers = new Map<string, Handler[]>()
  handle(event: string, handler: Handler): void {
    this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler])
  }
  override emit(event: string, ...args: unknown[]): boolean {
    for (const handler of this.handlers.get(event) ?? []) handler(args[0])
    return super.emit(event, ...args)
  }
}

class OneHandlerBus extends HandlerMapBus {
  override emit(event: string, ...args: unknown[]): boolean {
    this.handlers.get(event)?.[0]?.(args[0])
    return EventEmitter.prototype.emit.call(this, event, ...args)
  }
}

class HelperBus extends HandlerMapBus {
  override emit(event: string, ...args: unknown[]): boolean {
    this.dispatch(event, args[0])
    return EventEmitter.prototype.emit.call(this, event, ...args)
  }
  dispatch(event: string, payload: unknown): void {
    this.handlers.get(event)?.forEach((handler) => handler(payload))
  }
}

class PrivateHelperBus extends HandlerMapBus {
  override emit(event: string, ...args: unknown[]): boolean {
    this.#dispatch(event, args[0])
    return EventEmitter.prototype.emit.call(this, event, ...args)
  }
  #dispatch(event: string, payload: unknown): void {
    this.handlers.get(event)?.forEach((handler) => handler(payload))
  }
}

/** Gives each event to the listeners of a bus. */
class Dispatcher {
  constructor(private readonly bus: EventEmitter) {}
  dispatch(event: string, payload: unknown): void {
    for (const listener of this.bus.listeners(event)) Reflect.apply(listener, this.bus, [payload])
  }
}

class DispatcherBus extends EventEmitter {
  readonly dispatcher = new Dispatcher(this)
  override emit(event: string, payload?: unknown): boolean {
    this.dispatcher.dispatch(event, payload)
    return super.emit('any', event)
  }
}

const dispatch = (bus: EventEmitter, event: string, payload: unknown): void =>
  new Dispatcher(bus).dispatch(event, payload)

class FunctionBus extends EventEmitter {
  override emit(event: string, payload?: unknown): boolean {
    dispatch(this, event, payload)
    return super.emit('any', event)
  }
}

/** Delivers what comes from elsewhere below its own `emit`, which sends. */
class RemoteBus extends EventEmitter {
  readonly outgoing: unknown[] = []
  override emit(event: string, payload?: unknown): boolean {
    this.outgoing.push([event, payload])
    return true
  }
  override listeners(event: string): ReturnType<EventEmitter['listeners']> {
    return super.listeners(event)
  }
  receive(event: string, payload: unknown): void {
    super.emit(event, payload)
  }
}

describe('listeners that are called outside of the `emit` of their class', () => {
  it.each([DispatcherBus, FunctionBus])('get an event of %o late that is held', async (Bus) => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new Bus())
    const heard: unknown[] = []
    bus.on('tick', (payload) => heard.push(payload))
    bus.emit('tick', 1)
    expect([heard, injection.affected]).toEqual([[], 1])
    await clock.advance(100)
    expect([heard, injection.account]).toMatchObject([[1], { delivered: 1, held: 0 }])
  })

  it('get an event late that their bus emits below its own `emit`', async () => {
    const { bus, clock, injection } = await broken(delayEvents({ delayMs: 100 }), () => new RemoteBus())
    const heard: unknown[] = []
    bus.on('tick', (payload) => heard.push(payload))
    bus.receive('tick', 1)
    expect([heard, injection.affected]).toEqual([[], 1])
    await clock.advance(100)
    expect([heard, injection.account]).toMatchObject([[1], { delivered: 1, held: 0 }])
  })
})

describe('handlers that a bus keeps itself', () => {
  it.each([HandlerMapBus, OneHandlerBus, HelperBus, PrivateHelperBus])(
    'do not hear an event of %o that is counted as dropped',
    async (Bus) => {
      const heard: unknown[] = []
      const { bus, injection } = await broken(dropEvents(), () => new Bus())
      bus.handle('tick', (payload) => heard.push(payload))
      bus.on('tick', (payload) => heard.push(payload))

      bus.emit('tick', 1)

      expect({ heard, affected: injection.affected }).toEqual({ heard: [], affected: 1 })
    },
  )

  it('leave the seam below an override that only counts and copies its arguments', () => {
    const compiled: object = Object.create(EventEmitter.prototype, {
      emit: {
        value: function emit(this: EventEmitter, event: string): boolean {
          const args: unknown[] = []
          // eslint-disable-next-line prefer-rest-params -- as compilers write it
          for (let at = 1; at < arguments.length; at++) args[at - 1] = arguments[at]
          return EventEmitter.prototype.emit.call(this, event, ...args)
        },
      },
    }) as object

    const bus = new EventEmitter()
    Object.setPrototypeOf(bus, compiled)

    expect(deliveryOf(bus).at).toBe('super')
  })

  it('are found behind an address in a string on the same line', () => {
    // prettier-ignore
    class OneLine extends EventEmitter { override emit(event: string): boolean { super.emit(`any ${event}`, 'http://x'); for (const one of this.listeners(event)) Reflect.apply(one, this, []); return true } }

    expect(deliveryOf(new OneLine()).at).toBe('listeners')
  })
})
