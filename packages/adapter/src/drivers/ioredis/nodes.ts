import type { InjectionContext } from '@chaos/core/authoring'
import { listenTo, type Emitter } from '../../operations/listeners.js'

/** A `Cluster`, which sends each command by the client of a node. */
interface WithNodes extends Emitter {
  readonly nodes: (role: 'all') => readonly object[]
}

/**
 * Calls a function once for each client of a node, now and later.
 *
 * @param holder A `Cluster`, or the prototype of the class.
 */
export function eachNode(
  holder: object,
  { patch, defer }: Pick<InjectionContext, 'patch' | 'defer'>,
  work: (node: object) => void,
): void {
  const known = new WeakSet()
  const visit = (node: object): void => {
    if (known.has(node)) return
    known.add(node)
    work(node)
  }
  const visitAll = (cluster: WithNodes): void => {
    if (known.has(cluster)) return
    known.add(cluster)
    cluster.nodes('all').forEach(visit)
    defer(listenTo(cluster, '+node', (node) => visit(node as object)))
  }
  if (Object.hasOwn(holder, 'connectionPool')) {
    visitAll(holder as WithNodes)
    return
  }
  // The clusters of a class become known by what they send.
  patch(
    holder,
    'sendCommand',
    (below) =>
      function sendCommand(this: WithNodes, ...args: readonly unknown[]): unknown {
        visitAll(this)
        return below.call.apply(this, args) as unknown
      },
  )
}
