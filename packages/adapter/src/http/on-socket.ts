import { ownersOf, type AnyFunction, type Below, type InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'

/**
 * Patches `onSocket`, by which every request of the Node.js client gets its connection, or the error of one, whichever agent
 * made it.
 *
 * A mock may have put a class of its own in the place of `http.ClientRequest`, as nock does. The class of the requests that
 * it makes is then found when the first one asks its agent.
 */
export function patchOnSocket(context: InjectionContext, layer: (below: Below) => AnyFunction): void {
  const known = new WeakSet()
  const cover = (request: object): void => {
    const owner = ownersOf(request, 'onSocket').at(-1)
    if (owner === undefined || known.has(owner) || context.signal.aborted) return
    known.add(owner)
    context.patch(owner, 'onSocket', layer)
  }
  cover(http.ClientRequest.prototype)
  context.patch(
    http.Agent.prototype,
    'addRequest',
    (below) =>
      function addRequest(this: http.Agent, ...args: [request: http.ClientRequest, ...rest: unknown[]]): unknown {
        cover(args[0])
        return below.call.apply(this, args)
      },
  )
}
