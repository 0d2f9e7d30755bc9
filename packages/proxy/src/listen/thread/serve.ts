import type { FaultFactoryFor } from '@chaos/core/authoring'
import type { Proxy } from '../proxy.js'
import { Reports } from './reports.js'
import { sentError } from './sent-error.js'
import { ServedProxy } from './served-proxy.js'
import { STARTED, type Answer, type FromThread, type Question, type ThreadData } from './thread-proxy.js'

type Method = (this: ServedProxy, ...args: unknown[]) => unknown

/** Makes the proxy of this thread, and answers for it until the thread is ended. */
export function serve(
  { port, said, options }: ThreadData,
  createProxy: (options: never) => Promise<Proxy>,
  faults: readonly FaultFactoryFor<never>[],
): void {
  const say = (message: FromThread): void => {
    port.postMessage(message)
    Atomics.add(said, 0, 1)
    Atomics.notify(said, 0)
  }
  const reports = new Reports((report) => say({ report }))
  const answer = (id: number, outcome: { readonly value: unknown } | { readonly error: unknown }): void => {
    reports.flush()
    say('error' in outcome ? { id, error: sentError(outcome.error) } : ({ id, ...outcome } satisfies Answer))
  }
  const answerWith = (id: number, work: () => unknown): void => {
    try {
      const value = work()
      if (!(value instanceof Promise)) answer(id, { value })
      else
        void value.then(
          (late: unknown) => answer(id, { value: late }),
          (error: unknown) => answer(id, { error }),
        )
    } catch (error) {
      answer(id, { error })
    }
  }
  answerWith(STARTED, async () => {
    const served = new ServedProxy(await createProxy(options as never), faults, reports)
    port.on('message', ({ id, name, args }: Question) =>
      answerWith(id, () => (served[name] as Method).apply(served, [...args])),
    )
    return served.place
  })
}
