import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { muteRelay } from '@chaos/test-servers'
import { packageNamed } from '../../src/repository.js'
import { TOKEN, type ControlledApp, type Way } from './controlled-app.js'

/** What happens to a controlling process, or to its connections. */
export type Harm = 'SIGKILL' | 'cut' | 'SIGSTOP' | 'silence'

/** How it controls. */
export interface Controls {
  /** The `chaos` command, or a client of `@chaos/control` that injects and stops again and again. */
  readonly who: 'client' | 'command'
  readonly way: Way
  readonly hold: 'connection' | 'lease'
  readonly leaseMs: number
  /** How long the client lets each fault hit, in ms. */
  readonly hitsMs: number
}

/** A process that controls the app, through a relay of its own. */
export interface ControllingProcess {
  /** What it said last: `connect`, `check`, `inject`, `hits`, `stop`; of the command `command`, or `held`. */
  readonly phase: () => string
  /** Resolves when it says that phase; with a number, when it has said so many things. */
  readonly reaches: (wanted: string | number) => Promise<void>
  readonly suffer: (harm: Harm) => void
  readonly end: () => Promise<void>
}

const client = fileURLToPath(new URL('client.mjs', import.meta.url))
const chaosBin = join(packageNamed('cli').dir, 'dist', 'bin.js')

/** @param prefix What the ids of its injections begin with. */
export async function startControlling(
  app: ControlledApp,
  prefix: string,
  { who, way, hold, leaseMs, hitsMs }: Controls,
): Promise<ControllingProcess> {
  const relayPath = join(app.folder, prefix)
  const relay = way === 'socket' ? await muteRelay(app.at.socket, relayPath) : await muteRelay(app.at.url)
  const url = `http://127.0.0.1:${relay.port}/chaos`
  const address = way === 'socket' ? { socketPath: relayPath } : { url, token: TOKEN }
  const where = way === 'socket' ? ['--socket', relayPath] : ['--url', url]
  const injects = ['--for', `${leaseMs}ms`, '--hold', hold, '--id', `${prefix}-1`]
  const argv =
    who === 'client'
      ? [client, JSON.stringify({ address, prefix, hold, leaseMs, hitsMs })]
      : [chaosBin, 'inject', 'bus', 'drop-events', ...injects, ...where]
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, CHAOS_TOKEN: TOKEN },
    // A client whose connection is cut complains, as it should.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const { phase, reaches } = phasesOf(child, who)
  return {
    phase,
    reaches: (wanted) =>
      Promise.race([
        reaches(wanted),
        exited.then(() => Promise.reject(new Error(`The ${who} ended as it came to \`${phase()}\`.`))),
      ]),
    suffer(harm) {
      // New connections are refused too, or a process that had none yet would go on unharmed.
      if (harm === 'cut') relay.stop()
      else if (harm === 'silence') relay.isMute = relay.isDeaf = true
      else child.kill(harm)
    },
    async end() {
      child.kill('SIGKILL')
      await exited
      relay.stop()
    },
  }
}

function phasesOf(child: ChildProcess, who: Controls['who']): Pick<ControllingProcess, 'phase' | 'reaches'> {
  let phase = who === 'client' ? 'connect' : 'command'
  let count = 0
  const waiting = new Map<string | number, () => void>()
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    for (const said of who === 'client' ? text.trim().split('\n') : ['held']) {
      phase = said
      count += 1
      for (const wanted of [said, count]) waiting.get(wanted)?.()
    }
  })
  return {
    phase: () => phase,
    reaches: (wanted) => new Promise((resolve) => waiting.set(wanted, resolve)),
  }
}
