/** The program of a process with a controller. */
import { fleetController, redisControllerTransport, type FleetController } from '@chaos/fleet/controller'
import { monotonicMs } from './monotonic.js'
import type { ControllerConfig, InjectCall, Injected, RunEnded, Timed } from './controller-protocol.js'
import { say, serve } from './serve.js'

let controller: FleetController | undefined
/** When the latest plan was published. */
let openedAtMs = Number.NaN
/** The runs whose end has been told. */
const told = new Set<string>()

function connected(): FleetController {
  if (controller === undefined) throw new Error('The controller has not been connected.')
  return controller
}

async function timed(work: () => Promise<unknown>): Promise<Timed> {
  const askedAtMs = monotonicMs()
  await work()
  return { askedAtMs, answeredAtMs: monotonicMs() }
}

serve({
  connect({ redis, ...config }: ControllerConfig): void {
    const transport = redisControllerTransport({ fleet: config.fleet, ...redis })
    const made = fleetController({
      transport: {
        ...transport,
        open(...run) {
          openedAtMs = monotonicMs()
          return transport.open(...run)
        },
      },
      ...config,
    })
    controller = made
    made.follow(() => {
      for (const { plan, status, end } of made.runs()) {
        if (status === 'preparing' || status === 'active' || told.has(plan.runId)) continue
        told.add(plan.runId)
        say({ news: { atMs: monotonicMs(), runId: plan.runId, end: end ?? 'stopped' } satisfies RunEnded })
      }
    })
  },
  async inject({ target, fault, ...how }: InjectCall): Promise<Injected> {
    let id = ''
    const times = await timed(async () => {
      ;({ id } = await connected().inject(target, fault, {}, how))
    })
    return { ...times, id, openedAtMs }
  },
  stop: (id: string) => timed(() => connected().stop(id)),
  runs: () => connected().runs(),
  list: async () => (await connected().targets()).map(({ name }) => name),
  close: () => timed(() => connected().close()),
})
