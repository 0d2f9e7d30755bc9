import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Call, Said } from './programs/serve.js'

/** A process of a fleet: one that is asked, and can be harmed. */
export interface Program {
  readonly process: ChildProcess
  /** Asks it to do something. @throws Error if it says that it failed, or ends before it has answered */
  call<T>(method: string, argument?: unknown): Promise<T>
  /** Kills it at once. Resolves when it has ended. */
  kill(): Promise<void>
  /** Asks it to end. Resolves when it has. */
  terminate(): Promise<void>
  freeze(): void
  thaw(): void
  readonly ended: Promise<void>
}

/** A command in front of another, such as `ip netns exec lab`. */
export type Prefix = readonly string[]

interface Waiting {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** The most that is kept of what a program writes to its error stream, in characters. */
const MAX_OUTPUT = 4_000

/** Starts one of the programs, which `npm run build` has made. It ends with this process at the latest. */
export function startProgram(
  name: 'agents' | 'controller',
  { prefix = [], onNews }: { readonly prefix?: Prefix; readonly onNews: (news: never) => void },
): Program {
  // From the sources and from what is built of them, the programs are in the same place.
  const path = fileURLToPath(new URL(`../dist/programs/${name}.js`, import.meta.url))
  const command = [...prefix, process.execPath, path]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const waiting = new Map<number, Waiting>()
  let output = ''
  let calls = 0

  child.stderr?.on('data', (chunk) => (output = (output + String(chunk)).slice(-MAX_OUTPUT)))
  child.on('message', (said: Said) => {
    if ('news' in said) {
      onNews(said.news as never)
      return
    }
    const call = waiting.get(said.call)
    waiting.delete(said.call)
    if ('failure' in said) call?.reject(new Error(said.failure))
    else call?.resolve(said.result as never)
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = once(child, 'close').then(
    () => undefined,
    (error: unknown) => void (output += String(error)),
  )
  void ended.then(() => {
    process.off('exit', killWithUs)
    for (const { reject } of waiting.values())
      reject(new Error(`The program ${name} has ended (${child.signalCode ?? child.exitCode}): ${output}`))
    waiting.clear()
  })
  const send = (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    return ended
  }

  return {
    process: child,
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        calls += 1
        waiting.set(calls, { resolve, reject })
        child.send({ call: calls, method, argument } satisfies Call, (error) => {
          if (error !== null) reject(error)
        })
      }),
    kill: () => send('SIGKILL'),
    terminate: () => send('SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    ended,
  }
}
