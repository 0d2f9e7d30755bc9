import * as bus from '@chaos/eventbus'
import { EventEmitter } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { Subject as Rx } from 'rxjs'
import type { Breakage, Draw, Subject } from './schedule.js'

class Orders extends EventEmitter {
  count = 0
  override emit(name: string | symbol, ...args: readonly unknown[]): boolean {
    this.count += 1
    return super.emit(name, ...args)
  }
}

const pick = <T>(draw: Draw, values: readonly T[]): T => values[draw(values.length)] as T

/** The faults of events, with options that end within a lease. */
const FAULTS: readonly Breakage['make'][] = (
  [
    (draw) => bus.delayEvents({ delayMs: pick(draw, [0, 1, 2_000]), order: pick(draw, ['keep', 'free']) }),
    () => bus.dropEvents(),
    (draw) => bus.duplicateEvents({ copies: 1 + draw(2), spacingMs: pick(draw, [0, 30]) }),
    (draw) => bus.reorderEvents({ window: 2 + draw(3) }),
    (draw) => bus.corruptEvents({ damage: pick(draw, ['garble', 'truncate', 'empty', 'remove']), at: 'text' }),
    (draw) => bus.throttleEvents({ perSecond: pick(draw, [5, 1_000]) }),
    () => bus.stallListeners(),
  ] as readonly ((draw: Draw) => unknown)[]
).map((make) => make as Breakage['make'])

/** An application with buses of every kind of this process, which it goes on changing. */
export function busSubject(): Promise<Subject> {
  const emitter = new EventEmitter()
  const orders = new Orders()
  const target = new EventTarget()
  const subject = new Rx<unknown>()
  const { port1, port2 } = new MessageChannel()
  // A port that is read keeps the process alive.
  port2.on('message', () => undefined).unref()
  const emitters = [emitter, orders]
  const undo: (() => void)[] = []
  const listeners: { readonly from: EventEmitter; readonly listener: () => void }[] = []
  const listen = (draw: Draw): void => {
    const from = pick(draw, emitters)
    const listener = (): void => undefined
    from.on(pick(draw, ['order', 'parcel']), listener)
    listeners.push({ from, listener })
  }
  for (const one of emitters) one.on('order', () => undefined)
  target.addEventListener('order', () => undefined)
  subject.subscribe()
  const message = (draw: Draw): unknown => ({ text: `order ${draw(10)}` })
  const guarded =
    (move: (draw: Draw) => unknown) =>
    (draw: Draw): unknown => {
      try {
        return move(draw)
      } catch {
        // The object was frozen meanwhile.
        return undefined
      }
    }
  return Promise.resolve({
    breakages: [emitter, orders, target, subject, port1].flatMap((one) =>
      FAULTS.map((make) => ({ target: one, make })),
    ),
    moves: (
      [
        (draw) => pick(draw, emitters).emit(pick(draw, ['order', 'parcel']), message(draw)),
        (draw) => pick(draw, emitters).emit('order', message(draw)),
        () => target.dispatchEvent(new Event('order')),
        (draw) => subject.next(message(draw)),
        (draw) => port1.postMessage(message(draw)),
        listen,
        (draw) => {
          const one = listeners[draw(listeners.length + 1)]
          one?.from.removeAllListeners('parcel')
          if (one !== undefined) one.from.removeListener('order', one.listener)
        },
        (draw) => Reflect.set(pick(draw, [...emitters, target]), `key${draw(5)}`, pick(draw, [1, 1.5, 'text'])),
        (draw) => {
          // A spy of the application, as test libraries make it.
          const one = pick(draw, emitters)
          const before = Object.getOwnPropertyDescriptor(one, 'emit')
          const real = one.emit.bind(one)
          const spy = (name: string | symbol, ...args: readonly unknown[]): boolean => real(name, ...args)
          one.emit = spy
          undo.push(() => {
            if (one.emit !== spy) return
            if (before === undefined) Reflect.deleteProperty(one, 'emit')
            else Object.defineProperty(one, 'emit', before)
          })
        },
        () => undo.pop()?.(),
        (draw) => undo.splice(draw(undo.length), 1)[0]?.(),
        (draw) => {
          const prototype: { emit: (this: EventEmitter, ...args: never) => boolean } = EventEmitter.prototype
          const { emit } = prototype
          if (draw(3) === 0) {
            const wrapped: typeof emit = function (this: EventEmitter, ...args) {
              return Reflect.apply(emit, this, args)
            }
            prototype.emit = wrapped
            undo.push(() => {
              if (prototype.emit === wrapped) prototype.emit = emit
            })
          }
        },
        (draw) => (draw(4) === 0 ? Object.freeze(pick(draw, emitters)) : undefined),
        (draw) => (draw(6) === 0 ? port2.close() : undefined),
      ] as readonly ((draw: Draw) => unknown)[]
    ).map(guarded),
    met: () => ({
      emitter,
      orders,
      target,
      subject,
      port1,
      'EventEmitter.prototype': EventEmitter.prototype,
      'Orders.prototype': Orders.prototype,
      'EventTarget.prototype': EventTarget.prototype,
    }),
    close() {
      while (undo.length > 0) undo.pop()?.()
      port1.close()
      return Promise.resolve()
    },
  })
}
