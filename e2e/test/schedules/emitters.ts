import { EventEmitter } from 'node:events'
import { delayEvents, dropEvents, duplicateEvents, reorderEvents } from '@chaos/eventbus'
import type { Random } from './random.js'
import type { Choice, Subject } from './subject.js'

class Bus extends EventEmitter {
  sent = 0
  override emit(name: string | symbol, ...args: unknown[]): boolean {
    this.sent += 1
    return super.emit(name, ...args)
  }
}

function chooseEvents(random: Random): Choice {
  const how = {
    rate: random.one([0, 0.5, 1]),
    seed: random.below(1_000),
    only: random.one<string | string[]>(['*', 'tick', ['t*'], '7']),
  }
  const fault = random.one([
    () => delayEvents({ delayMs: 20 }),
    () => dropEvents(),
    () => duplicateEvents(),
    () => reorderEvents(),
  ])()
  return { fault: fault as Choice['fault'], how }
}

const subject = (title: string, make: () => EventEmitter, others: readonly object[]): Subject => ({
  title,
  begin() {
    const bus = make().on('tick', () => undefined)
    const heard: (() => void)[] = []
    return {
      target: bus,
      others,
      choose: chooseEvents,
      act(random) {
        switch (random.below(4)) {
          case 0:
            Reflect.set(bus, `late${random.below(5)}`, random.below(5))
            break
          case 1: {
            // A listener that leaves before the comparison.
            const listener = (): void => undefined
            bus.on('tick', listener)
            heard.push(() => void bus.off('tick', listener))
            break
          }
          default:
            bus.emit(random.one(['tick', 'tock', 7 as never]), random.below(10))
        }
      },
      settle() {
        for (const forget of heard) forget()
      },
    }
  },
})

/** Emitters, plain and of a class that overrides `emit`. */
export const emitters: readonly Subject[] = [
  subject('an emitter', () => new EventEmitter(), [EventEmitter.prototype]),
  subject('an emitter of a class that overrides `emit`', () => new Bus(), [Bus.prototype, EventEmitter.prototype]),
]
