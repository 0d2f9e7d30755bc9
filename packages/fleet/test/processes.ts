import { createChaos, target, type Chaos } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { onTestFinished } from 'vitest'
import { joinFleet, type FleetMember, type JoinFleetOptions } from '../src/agent/join-fleet.js'
import {
  fleetController,
  type FleetController,
  type FleetControllerOptions,
} from '../src/controller/fleet-controller.js'
import { makeKey } from '../src/plan/key-files.js'
import { memoryEngine, type MemoryEngine } from '../src/transports/memory.js'
import type { ControllerTransport } from '../src/transports/transport.js'
import { silence, type Speaker } from './silence.js'

const key = makeKey('ops')

/** A process of the fleet, simulated: a speaker, a controller of its own, and an agent. */
interface Process {
  readonly id: string
  readonly chaos: Chaos
  readonly member: FleetMember
  say(): string
  /** It dies without a word. */
  die(): void
}

/** A fleet in memory, on a manual clock. */
export interface Fleet {
  readonly clock: ManualClock
  readonly engine: MemoryEngine
  readonly operator: ControllerTransport
  readonly controller: FleetController
  /** Those that live. */
  readonly processes: readonly Process[]
  /** Starts another process. */
  start(options?: Partial<JoinFleetOptions>): Process
  /** How many of the living are silent now. Asking is an operation, which the fault may hit. */
  silent(): number
  /** Lets time pass until a promise has settled. */
  settled<T>(promise: Promise<T>): Promise<T>
}

/** A fleet of processes, each with its options. The window is open for an hour. */
export async function fleetOf(
  processOptions: readonly Partial<JoinFleetOptions>[],
  options: Partial<FleetControllerOptions> = {},
): Promise<Fleet> {
  const clock = manualClock(1_000_000)
  const engine = memoryEngine({ clock })
  const operator = engine.controller()
  const controller = fleetController({
    transport: engine.controller(),
    fleet: 'test',
    environment: 'test',
    key,
    by: 'ann',
    clock,
    ...options,
  })
  const living: Process[] = []
  const members: FleetMember[] = []

  function start(given: Partial<JoinFleetOptions> = {}): Process {
    const speaker: Speaker = { say: () => 'hello' }
    const chaos = createChaos({ environment: 'test', clock, targets: { it: target(speaker, [silence]) } })
    const transport = engine.agent()
    const member = joinFleet(chaos, {
      transport,
      fleet: 'test',
      service: 'shop',
      keys: { ops: key.publicKey },
      handleSignals: false,
      clock,
      wallClock: () => clock.now(),
      log: () => undefined,
      ...given,
    })
    members.push(member)
    const made: Process = {
      id: member.id,
      chaos,
      member,
      say: () => speaker.say(),
      die() {
        engine.partition(transport)
        living.splice(living.indexOf(made), 1)
      },
    }
    living.push(made)
    return made
  }

  async function settled<T>(promise: Promise<T>): Promise<T> {
    const waiting = { isOver: false }
    const noted = promise.finally(() => (waiting.isOver = true))
    noted.catch(() => undefined)
    for (let step = 0; step < 3_000 && !waiting.isOver; step += 1) await clock.advance(100)
    return noted
  }

  onTestFinished(async () => {
    await settled(Promise.all([controller.close(), ...members.map((member) => member.leave())]))
  })
  for (const one of processOptions) start(one)
  await settled(operator.permit(3_600_000, 'operator', 'a drill'))
  await clock.advance(100)
  return {
    clock,
    engine,
    operator,
    controller,
    processes: living,
    start,
    silent: () => living.filter((one) => one.say() === '').length,
    settled,
  }
}
