import inspector from 'node:inspector'
import net, { type Socket } from 'node:net'
import { hasUnreferencedConnections, referencedSockets } from './referenced.js'

/** What the inspector's protocol answers to the calls below. */
interface Answer {
  readonly result?: { readonly objectId?: string }
  readonly objects?: { readonly objectId?: string }
}

/** The property of `globalThis` by which the inspector reaches this module, while it is asked. */
const DOOR = Symbol.for('chaos.adapter.live-sockets')

/**
 * Returns all sockets that exist in this thread. If there are unreferenced connections, the heap is searched for them with
 * the inspector, in process and without a port. The search collects garbage first, which blocks the thread for a time that
 * grows with the heap, up to seconds. Without an inspector, unreferenced sockets are missing.
 */
export function liveSockets(): readonly Socket[] {
  if (hasUnreferencedConnections() === false) return referencedSockets()
  try {
    return instancesOf(net.Socket.prototype).filter((value): value is Socket => value instanceof net.Socket)
  } catch {
    return referencedSockets()
  }
}

/**
 * Returns all objects of this thread that inherit from a prototype.
 *
 * @throws Error if Node.js has no inspector.
 */
export function instancesOf(prototype: object): readonly unknown[] {
  let found: readonly unknown[] = []
  const session = new inspector.Session()
  session.connect()
  try {
    const door = { prototype, take: (objects: readonly unknown[]) => void (found = objects) }
    Object.defineProperty(globalThis, DOOR, { value: door, configurable: true })
    const evaluate = (expression: string): string | undefined =>
      ask(session, 'Runtime.evaluate', { expression }).result?.objectId
    const here = `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(DOOR))})]`
    const { objects } = ask(session, 'Runtime.queryObjects', { prototypeObjectId: evaluate(`${here}.prototype`) })
    ask(session, 'Runtime.callFunctionOn', {
      functionDeclaration: 'function (objects) { this.take(objects) }',
      objectId: evaluate(here),
      arguments: [{ objectId: objects?.objectId }],
    })
  } finally {
    Reflect.deleteProperty(globalThis, DOOR)
    session.disconnect()
  }
  return found
}

/** Asks the inspector, which answers in the same turn. */
function ask(session: inspector.Session, method: string, parameters: object): Answer {
  const answers: Answer[] = []
  const failures: Error[] = []
  session.post(method, parameters, (error: Error | null, given?: object) => {
    if (error === null) answers.push(given ?? {})
    else failures.push(error)
  })
  const [answer] = answers
  if (answer === undefined) throw failures[0] ?? new Error(`The inspector did not answer ${method}.`)
  return answer
}
