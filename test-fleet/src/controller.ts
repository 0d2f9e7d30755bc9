import type { RunState } from '@chaos/fleet/controller'
import { startProgram, type Prefix, type Program } from './program.js'
import type { ControllerConfig, InjectCall, Injected, RunEnded, Timed } from './programs/controller-protocol.js'

/** A process with a controller. */
export interface ControllerProcess extends Omit<Program, 'call'> {
  /** Starts a run. Resolves when it is in force. */
  inject(call: InjectCall): Promise<Injected>
  stop(id: string): Promise<Timed>
  runs(): Promise<readonly RunState[]>
  close(): Promise<Timed>
  /** The runs whose end it has told, oldest first. */
  readonly endings: readonly RunEnded[]
  /** Resolves when it tells the next end of a run. */
  nextEnding(): Promise<RunEnded>
}

export async function startController(config: ControllerConfig, prefix: Prefix = []): Promise<ControllerProcess> {
  const endings: RunEnded[] = []
  let waiting: ((ending: RunEnded) => void)[] = []
  const program = startProgram('controller', {
    prefix,
    onNews: (ending: RunEnded) => {
      endings.push(ending)
      for (const resolve of waiting) resolve(ending)
      waiting = []
    },
  })
  await program.call('connect', config)
  return {
    ...program,
    inject: (call) => program.call('inject', call),
    stop: (id) => program.call('stop', id),
    runs: () => program.call('runs'),
    close: () => program.call('close'),
    endings,
    nextEnding: () => new Promise((resolve) => waiting.push(resolve)),
  }
}
