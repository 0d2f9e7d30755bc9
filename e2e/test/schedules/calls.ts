import * as adapter from '@chaos/adapter'
import type { Breakage, Draw, Subject } from './schedule.js'

const pick = <T>(draw: Draw, values: readonly T[]): T => values[draw(values.length)] as T
const ignore = (): void => undefined

const FAULTS: readonly Breakage['make'][] = [
  (draw) => adapter.delayCalls({ delayMs: pick(draw, [1, 2_000]) }),
  () => adapter.hangCalls(),
  () => adapter.refuseCalls(),
  () => adapter.failAfterCall(),
  (draw) => adapter.timeOutCalls({ timeoutMs: pick(draw, [10, 300]) }),
  (draw) => adapter.loseWrites({ methods: 'save', ...pick(draw, [{}, { answers: 'promise' as const }]) }),
  (draw) => adapter.duplicateWrites({ methods: 'save', afterMs: pick(draw, [0, 20]) }),
  () => adapter.serveStaleReads({ methods: 'find' }),
  (draw) => adapter.corruptResults({ methods: 'find', damage: pick(draw, ['garble', 'truncate', 'empty']) }),
  () => adapter.limitRate({ calls: 1, perMs: 100 }),
  () => adapter.flapCalls({ upMs: 50, downMs: 50 }),
]

/** An application with stores of several classes, which it goes on making, freezing and changing. */
export function callSubject(): Promise<Subject> {
  class Repository {
    readonly rows = new Map<string, string>()
    async find(key: string): Promise<string | undefined> {
      return Promise.resolve(this.rows.get(key))
    }
    async save(key: string, value: string): Promise<string> {
      this.rows.set(key, value)
      return Promise.resolve('OK')
    }
  }

  class Orders extends Repository {
    override async save(key: string, value: string): Promise<string> {
      return super.save(`order:${key}`, value)
    }
  }

  const plain = {
    find: (key: string) => Promise.resolve(key),
    save: (key: string, value: string) => Promise.resolve(key + value),
  }
  const stores: (Repository | typeof plain)[] = [new Repository(), new Orders(), plain]
  const undo: (() => void)[] = []
  const guarded =
    (move: (draw: Draw) => unknown) =>
    (draw: Draw): void => {
      try {
        const answer = move(draw)
        if (answer instanceof Promise) answer.catch(ignore)
      } catch {
        // The object was frozen meanwhile, or the fault failed the call.
      }
    }
  const made: Repository[] = []
  return Promise.resolve({
    breakages: [...stores, Repository.prototype, Orders.prototype, Orders].flatMap((target) =>
      FAULTS.map((make) => ({ target, make })),
    ),
    moves: (
      [
        (draw) => pick(draw, [...stores, ...made]).find(`key ${draw(3)}`),
        (draw) => pick(draw, [...stores, ...made]).save(`key ${draw(3)}`, 'value'),
        (draw) => made.push(new (pick(draw, [Repository, Orders, class extends Orders {}]))()),
        (draw) => Reflect.set(pick(draw, [...stores, ...made]), `key${draw(5)}`, pick(draw, [1, 1.5, 'text'])),
        (draw) => {
          // A spy of the application.
          const one = pick(draw, stores)
          const before = Object.getOwnPropertyDescriptor(one, 'find')
          const real = one.find.bind(one)
          const spy = (key: string): Promise<string | undefined> => real(key)
          one.find = spy
          undo.push(() => {
            if (one.find !== spy) return
            if (before === undefined) Reflect.deleteProperty(one, 'find')
            else Object.defineProperty(one, 'find', before)
          })
        },
        (draw) => {
          // An instrumentation that wraps the class.
          const prototype: { save: (this: Repository, key: string, value: string) => Promise<string> } = pick(draw, [
            Repository.prototype,
            Orders.prototype,
          ])
          const real = Object.getOwnPropertyDescriptor(prototype, 'save')
          const { save } = prototype
          const wrapped: typeof save = function (this: Repository, ...args) {
            return Reflect.apply(save, this, args)
          }
          prototype.save = wrapped
          undo.push(() => {
            if (prototype.save === wrapped && real !== undefined) Object.defineProperty(prototype, 'save', real)
          })
        },
        () => undo.pop()?.(),
        (draw) => (draw(4) === 0 ? Object.freeze(pick(draw, stores)) : undefined),
        (draw) => draw(6) === 0 && Reflect.setPrototypeOf(stores[0] as object, Orders.prototype),
      ] as readonly ((draw: Draw) => unknown)[]
    ).map(guarded),
    met: () => ({
      ...Object.fromEntries([...stores, ...made].map((store, index) => [`store ${index}`, store])),
      Repository,
      Orders,
      'Repository.prototype': Repository.prototype,
      'Orders.prototype': Orders.prototype,
    }),
    close() {
      for (const take of undo.splice(0).reverse()) {
        try {
          take()
        } catch {
          // The object was frozen meanwhile, so the spy of the application stays.
        }
      }
      return Promise.resolve()
    },
  })
}
