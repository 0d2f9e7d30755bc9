import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

export const TOKEN = 'only-for-benchmarks'

/** An app in a process of its own, and a connection to it. */
export interface AppProcess {
  readonly origin: string
  /** Sends requests, and waits for the answers. */
  readonly visit: (requests: number) => Promise<void>
  /** The CPU time that it has used, in ms. */
  readonly cpuMs: () => Promise<number>
  /** Mounts the endpoint. */
  readonly mount: () => Promise<void>
  /** Closes the endpoint, which takes it off the server. */
  readonly unmount: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** What an app is asked. It answers each with the CPU time that it has used. */
export type AppRequest = 'use' | 'mount' | 'unmount'

const program = fileURLToPath(new URL('./endpoint/app.js', import.meta.url))
/** Requests in flight at once, so that system calls are shared among them and the app's own work shows. */
const PIPELINED = 16

/** Starts an app without an endpoint. */
export async function forkApp(): Promise<AppProcess> {
  const child = fork(program, { execArgv: [] })
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('Expected the app to start, it ended.'))),
  ])) as [{ readonly port: number }]
  const ask = async (what: AppRequest): Promise<number> => {
    const answer = once(child, 'message') as Promise<[{ readonly cpuMs: number }]>
    child.send(what)
    return (await answer)[0].cpuMs
  }
  const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
  await once(socket, 'connect')
  let missing = 0
  let done: () => void = () => undefined
  socket.on('data', (text: string) => {
    missing -= text.split('HTTP/1.1 200').length - 1
    if (missing === 0) done()
  })
  const requests = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(PIPELINED)
  return {
    origin: `http://127.0.0.1:${port}`,
    async visit(count) {
      for (let sent = 0; sent < count; sent += PIPELINED)
        await new Promise<void>((resolve) => {
          missing = PIPELINED
          done = resolve
          socket.write(requests)
        })
    },
    cpuMs: () => ask('use'),
    async mount() {
      await ask('mount')
    },
    async unmount() {
      await ask('unmount')
    },
    async stop() {
      socket.destroy()
      child.kill()
      await once(child, 'exit')
    },
  }
}
