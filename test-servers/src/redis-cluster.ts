import { once } from 'node:events'
import net from 'node:net'
import type { OwnServer } from './own-server.js'
import { ownRedis } from './redis.js'

/** Nodes of Redis that share the slots evenly, in the order of the slots. */
export interface OwnCluster {
  readonly nodes: readonly OwnServer[]
  /** Ends them all. */
  readonly stop: () => Promise<unknown>
}

const SLOTS = 16_384

/** Starts a Redis Cluster, and waits until each of its nodes says that all slots are served. */
export async function ownRedisCluster(size = 2): Promise<OwnCluster> {
  const nodes = await Promise.all(Array.from({ length: size }, () => ownRedis('--cluster-enabled', 'yes')))
  const share = Math.ceil(SLOTS / size)
  for (const [n, { port }] of nodes.entries()) {
    await ask(port, `CLUSTER ADDSLOTSRANGE ${n * share} ${Math.min(SLOTS, (n + 1) * share) - 1}`)
    for (const other of nodes) if (other.port !== port) await ask(port, `CLUSTER MEET 127.0.0.1 ${other.port}`)
  }
  for (const { port } of nodes)
    while (!(await ask(port, 'CLUSTER INFO')).includes('cluster_state:ok'))
      await new Promise((resolve) => setTimeout(resolve, 25))
  return { nodes, stop: () => Promise.all(nodes.map((node) => node.stop())) }
}

/** Says one command, and hears the beginning of its answer. @throws Error for an error */
async function ask(port: number, command: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    socket.write(`${command}\r\n`)
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    const answer = String(chunk)
    if (answer.startsWith('-')) throw new Error(`Expected Redis to do ${command}, got ${answer}`)
    return answer
  } finally {
    socket.destroy()
  }
}
