import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { appFolder } from '../../src/config.js'

/** A program of ours that says where it listens. */
export interface Listening<Address> {
  readonly child: ChildProcess
  readonly address: Address
  /** What it has written so far. */
  readonly output: () => string
  /** Ends it, also when it is stopped in its tracks. */
  stop(): Promise<void>
}

/** Longest wait for a program to listen, and for it to end by itself, in ms. */
const [START_MS, END_MS] = [30_000, 5_000]

/** Starts a built file of this app, and waits for its line `{"event":"listening", …}`. */
export async function startListening<Address>(
  file: string,
  { env = {}, nodeArgs = [] }: { readonly env?: NodeJS.ProcessEnv; readonly nodeArgs?: readonly string[] },
): Promise<Listening<Address>> {
  const child = spawn(process.execPath, [...nodeArgs, join(appFolder, 'dist', file)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  const exited = once(child, 'exit')
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-200_000)))
  const listening = new Promise<Address>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Expected ${file} to listen within ${START_MS} ms, it wrote:\n${output}`)),
      START_MS,
    )
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on(
        'line',
        (line) => line.startsWith('{"event":"listening"') && resolve(JSON.parse(line) as Address),
      )
    void exited.then(() => reject(new Error(`Expected ${file} to listen, it ended:\n${output}`)))
    void exited.finally(() => clearTimeout(timer))
  })
  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const patience = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await exited
      clearTimeout(patience)
    }
  }
  try {
    return { child, address: await listening, output: () => output, stop }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
