import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Kind } from './forwarders.js'
import type { Allocations, Answer, Question, Usage } from './messages.js'

/** A forwarder in a process of its own. */
export interface ForwarderProcess {
  readonly port: number
  /** The address of the API, of the kind `toxiproxy`. */
  readonly url: string
  readonly arm: (question: Omit<Extract<Question, { readonly do: 'arm' }>, 'do'>) => Promise<void>
  readonly disarm: () => Promise<void>
  readonly use: () => Promise<Usage>
  /** Does work, and counts what the process allocates on its heap meanwhile. */
  readonly allocatesKiB: (work: () => Promise<unknown>) => Promise<number>
  readonly stop: () => Promise<void>
}

const program = fileURLToPath(new URL('./proxy/forwarder.js', import.meta.url))

/** Starts a forwarder in a process of its own. */
export async function forkForwarder(kind: Kind, upstream: number): Promise<ForwarderProcess> {
  const child = fork(program, [kind, String(upstream)], { execArgv: ['--expose-gc'] })
  const [{ port, url = '' }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`Expected the forwarder \`${kind}\` to start, it ended.`))),
  ])) as [{ readonly port: number; readonly url?: string }]
  const ask = questionsTo(child)
  return {
    port,
    url,
    arm: (question) => ask({ do: 'arm', ...question }).then(() => undefined),
    disarm: () => ask({ do: 'disarm' }).then(() => undefined),
    use: () => ask({ do: 'use' }) as Promise<Usage>,
    async allocatesKiB(work) {
      await ask({ do: 'count' })
      await work()
      return ((await ask({ do: 'counted' })) as Allocations).allocatedKiB
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}

function questionsTo(child: ChildProcess): (question: Question) => Promise<Answer> {
  let asked = 0
  return (question) => {
    const id = (asked += 1)
    return new Promise((resolve, reject) => {
      const onMessage = (answer: { readonly id: number; readonly value?: Answer; readonly error?: string }): void => {
        if (answer.id !== id) return
        child.off('message', onMessage)
        if (answer.value === undefined) reject(new Error(answer.error))
        else resolve(answer.value)
      }
      child.on('message', onMessage)
      child.send({ ...question, id })
    })
  }
}
