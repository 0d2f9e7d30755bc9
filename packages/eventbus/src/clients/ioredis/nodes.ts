import type { Steps } from '../../seams/bus.js'
import type { CommandClient } from './command.js'

/** A `Cluster`, which sends each command by the client of a node. */
interface WithNodes {
  nodes(role: 'all'): CommandClient[]
  on(event: '+node', listener: (node: CommandClient) => void): unknown
  off(event: '+node', listener: (node: CommandClient) => void): unknown
}

/** Calls a function for each client that writes the commands of another: those of the nodes of a `Cluster`, now and later. */
export function eachNode(client: object, steps: Steps, work: (node: CommandClient) => void): void {
  if ('commandQueue' in client) {
    work(client as CommandClient)
    return
  }
  const cluster = client as WithNodes
  for (const node of cluster.nodes('all')) work(node)
  cluster.on('+node', work)
  steps.defer(() => void cluster.off('+node', work))
}
