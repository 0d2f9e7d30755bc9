import { refuseCalls } from '@chaos/adapter'
import { inject, withScope, type SeenCall } from '@chaos/core'
import { setTimeout as pause } from 'node:timers/promises'

const CALLS = 4
/** A call takes 0 to 4 ms, by chance. */
const MOST_MS = 5

/** A service whose calls take time by chance. */
class Service {
  async get(_request: number, _step: number): Promise<void> {
    await pause(Math.floor(Math.random() * MOST_MS))
  }
}

/** Handles requests at the same time, each with calls one after the other and in a scope of its own. */
async function handle(service: Service, requests: number): Promise<void> {
  await Promise.all(
    Array.from({ length: requests }, (_, request) =>
      withScope(`request ${request}`, async () => {
        for (let step = 0; step < CALLS; step += 1) await service.get(request, step).catch(() => undefined)
      }),
    ),
  )
}

type NameOf = (call: SeenCall, before: number) => string
/** What a call can be named by. */
export const NAMES = {
  number: (_call, before) => String(before + 1),
  scope: ({ scope, call }) => `${scope?.path ?? ''} #${call}`,
} as const satisfies Record<string, NameOf>

/** Which call each name means in one run. */
async function meanings(requests: number, nameOf: NameOf): Promise<ReadonlyMap<string, string>> {
  const service = new Service()
  const meant = new Map<string, string>()
  const watch = await inject(refuseCalls({ methods: 'get' }), service, {
    rate: 0,
    onSeen: (call) => void meant.set(nameOf(call, meant.size), `${String(call.args[0])}/${String(call.args[1])}`),
  })
  await handle(service, requests)
  await watch.rollback()
  return meant
}

/** The share of names that mean another call in a second run, in percent. */
export async function unstableShare(requests: number, name: keyof typeof NAMES): Promise<number> {
  const [first, second] = [await meanings(requests, NAMES[name]), await meanings(requests, NAMES[name])]
  const moved = [...first].filter(([one, call]) => second.get(one) !== call).length
  return Math.round((1_000 * moved) / first.size) / 10
}

/** The points that `explore` leaves out, since they are not the same in two runs. */
export async function leftOut(requests: number): Promise<number> {
  const { explore } = await import('@chaos/test')
  const service = new Service()
  const { result } = await explore(
    {
      name: 'requests',
      targets: () => ({ service }),
      faults: { service: [refuseCalls({ methods: 'get' })] },
      budgetMs: 1,
    },
    () => handle(service, requests),
  )
  return result.unstable.length
}
