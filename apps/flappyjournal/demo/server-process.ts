import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A dev server in a process of its own. */
export interface ServerProcess {
  readonly url: string
  readonly alertsUrl: string
  readonly pid: number
  /** Ends it as an operator would, and waits until it is gone. */
  stop(): Promise<void>
}

/** Longest wait for the server to listen, in ms. */
const START_TIMEOUT_MS = 30_000

/**
 * Starts the dev server with chaos switched on, short windows and any free port.
 *
 * @param logFile Where its output goes, alerts among it.
 * @param onLine Receives each line of its output.
 */
export async function startServerProcess(
  env: NodeJS.ProcessEnv,
  logFile: string,
  onLine: (line: string) => void = () => undefined,
): Promise<ServerProcess> {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL('./main.js', import.meta.url))], {
    env: { ...process.env, NODE_ENV: 'development', CHAOS: 'on', FLAPPY_WINDOWS: 'demo', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // However the demo ends, no server outlives it.
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const exited = once(child, 'exit').finally(() => process.off('exit', killWithUs))
  const log = createWriteStream(logFile)
  if (child.stdout === null) throw new TypeError('Expected the output of the server to be piped.')
  child.stdout.pipe(log)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', onLine)
  const listening = new Promise<{ url: string; alertsUrl: string }>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`Expected the server to listen within ${START_TIMEOUT_MS} ms.`)),
      START_TIMEOUT_MS,
    )
    lines.on('line', (line) => {
      if (!line.startsWith('{"event":"listening"')) return
      clearTimeout(timer)
      resolve(JSON.parse(line) as { url: string; alertsUrl: string })
    })
    void exited.then(() => {
      clearTimeout(timer)
      reject(new Error(`Expected the server to listen, it ended. Its output is in ${logFile}.`))
    })
  })
  try {
    const { url, alertsUrl } = await listening
    return {
      url,
      alertsUrl,
      pid: child.pid ?? 0,
      async stop() {
        child.kill('SIGTERM')
        const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
        await exited
        clearTimeout(patience)
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
