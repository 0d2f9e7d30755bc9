import type { AgentProcess } from './agents.js'
import type { ControllerProcess } from './controller.js'
import { startEngine, type Engine } from './engine.js'
import { makeFleet, type Fleet } from './fleet.js'
import { makePlace, type Place } from './place.js'
import { hasWallClocks, makeWallClock, type WallClock } from './wall-clock.js'

/** A fleet with all that can be harmed. */
export interface Lab {
  readonly leaseMs: number
  readonly engine: Engine
  /** The wall clock of the Redis; `undefined`: this machine has no compiler to make one. */
  readonly clock: WallClock | undefined
  readonly fleet: Fleet
  /** The controller of now. */
  readonly controller: ControllerProcess
  /** Where the controllers run. */
  readonly controllerPlace: Place
  /** Where half of the processes with agents run. */
  readonly agentsPlace: Place
  /** Those processes. */
  readonly placed: readonly AgentProcess[]
  /** Kills the controller, and starts another. */
  replaceController(): Promise<void>
  /** Permits runs again, as soon as the Redis lets it. */
  permit(): Promise<void>
  stop(): Promise<void>
}

export interface LabOptions {
  readonly agents: number
  /** At least 2. */
  readonly processes: number
  readonly leaseMs: number
  /** How often agents read while nothing runs, in ms. Default 300, so that a trial need not wait for them; 5 s is usual. */
  readonly idlePollMs?: number
  /** How often each application calls what may be broken, in ms. Default 50. */
  readonly callEveryMs?: number
}

const PAUSE_MS = 50
const HOUR = 3_600_000
const ATTEMPTS = 200

export async function startLab({
  agents,
  processes,
  leaseMs,
  idlePollMs = 300,
  callEveryMs = 50,
}: LabOptions): Promise<Lab> {
  const stops: (() => unknown)[] = []
  async function stop(): Promise<void> {
    for (const one of stops.splice(0).reverse()) await one()
  }
  try {
    const [controllerPlace, agentsPlace] = [makePlace(), makePlace()]
    stops.push(
      () => controllerPlace.stop(),
      () => agentsPlace.stop(),
    )
    const clock = hasWallClocks() ? makeWallClock() : undefined
    if (clock !== undefined) stops.push(() => clock.stop())
    const addresses = [controllerPlace, agentsPlace].flatMap(({ address }) => address ?? [])
    const engine = await startEngine({ addresses, prefix: clock?.prefix ?? [] })
    stops.push(() => engine.stop())
    const fleet = await makeFleet(engine)
    stops.push(() => fleet.stop())
    const half = { agents: Math.floor(agents / 2), processes: Math.floor(processes / 2) }
    const common = { idlePollMs, callEveryMs }
    const { prefix } = agentsPlace
    const [placed] = await Promise.all([
      fleet.addAgents({ ...half, ...common, prefix, redis: await agentsPlace.reach(engine.port) }),
      fleet.addAgents({ agents: agents - half.agents, processes: processes - half.processes, ...common }),
    ])
    const way = { prefix: controllerPlace.prefix, redis: await controllerPlace.reach(engine.port) }
    const start = (): Promise<ControllerProcess> => fleet.addController({ leaseMs, ...way })
    let controller = await start()
    return {
      leaseMs,
      engine,
      clock,
      fleet,
      get controller() {
        return controller
      },
      controllerPlace,
      agentsPlace,
      placed,
      async replaceController() {
        await controller.kill()
        controller = await start()
      },
      async permit() {
        for (let attempt = 1; ; attempt += 1)
          try {
            await fleet.operator.permit(HOUR, 'operator', 'a test')
            return
          } catch (error) {
            if (attempt === ATTEMPTS) throw error
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
          }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
