import { messageOf } from '@chaos/core/authoring'
import inspector from 'node:inspector'

/** A node of the graph that Node.js draws of its native objects for heap snapshots. */
interface GraphNode {
  /** The object in JavaScript of a native one. */
  readonly value?: unknown
}

type BuildGraph = () => readonly GraphNode[]

/** What the inspector's protocol answers to the calls below. */
interface Answer {
  readonly result?: { readonly objectId?: string } | readonly Property[]
  readonly internalProperties?: readonly Property[]
}

interface Property {
  readonly name: string
  readonly value?: { readonly objectId?: string }
}

/** The property of `globalThis` by which the inspector reaches this module, while it is asked. */
const DOOR = Symbol.for('chaos.adapter.native-objects')

let buildGraph: BuildGraph | undefined
let hasWarned = false

/**
 * Returns the objects in JavaScript of all native objects of this thread: the handles of connections and timers, sessions of
 * HTTP/2, and so on, unreferenced ones included. It takes a few milliseconds, whatever the size of the heap.
 *
 * @returns `undefined` where Node.js does not tell of them: it has no inspector or no such graph, or `--permission` forbids the
 *   inspector. The process then warns, once.
 */
export function nativeObjects(): readonly object[] | undefined {
  try {
    buildGraph ??= findBuildGraph()
  } catch (error) {
    if (!hasWarned) {
      process.emitWarning(
        `Node.js does not tell of its connections here (${messageOf(error)}). Faults find only connections that keep the process alive (no idle pools), and no sessions of HTTP/2 that are open already.`,
        {
          type: 'ChaosWarning',
          detail: 'Allow the inspector to let them find all, for example by leaving out `--permission`.',
        },
      )
    }
    hasWarned = true
    return undefined
  }
  return buildGraph().flatMap(({ value }) => (typeof value === 'object' && value !== null ? [value] : []))
}

/**
 * Finds the function that draws the graph. Only the internal modules of Node.js have it, so the inspector looks, in process and
 * without a port, into the scope of a function that loads them.
 */
function findBuildGraph(): BuildGraph {
  const session = new inspector.Session()
  session.connect()
  try {
    const taken: unknown[] = []
    const door = {
      loader: Reflect.get(process, '_linkedBinding') as unknown,
      take: (value: unknown) => void taken.push(value),
    }
    Object.defineProperty(globalThis, DOOR, { value: door, configurable: true })
    const evaluate = (expression: string): string | undefined =>
      objectIn(
        ask(session, 'Runtime.evaluate', {
          expression: `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(DOOR))})]${expression}`,
        }),
      )
    const propertiesOf = (objectId: string | undefined): Answer =>
      ask(session, 'Runtime.getProperties', { objectId, ownProperties: true })
    const scopes = named(propertiesOf(evaluate('.loader')).internalProperties, '[[Scopes]]')
    // The last scope is the global one.
    for (const { value } of listIn(propertiesOf(scopes))
      .filter(({ name }) => /^\d+$/.test(name))
      .slice(0, -1)) {
      const found = named(listIn(propertiesOf(value?.objectId)), 'internalBinding')
      if (found === undefined) continue
      ask(session, 'Runtime.callFunctionOn', {
        functionDeclaration: 'function (value) { this.take(value) }',
        objectId: evaluate(''),
        arguments: [{ objectId: found }],
      })
    }
    const [internalBinding] = taken as [((name: string) => object)?]
    const build: unknown = Reflect.get(internalBinding?.('heap_utils') ?? {}, 'buildEmbedderGraph')
    if (typeof build !== 'function') throw new Error('This Node.js has no graph of its native objects.')
    return build as BuildGraph
  } finally {
    Reflect.deleteProperty(globalThis, DOOR)
    session.disconnect()
  }
}

function named(properties: readonly Property[] | undefined, name: string): string | undefined {
  return properties?.find((property) => property.name === name)?.value?.objectId
}

function listIn({ result }: Answer): readonly Property[] {
  return Array.isArray(result) ? (result as readonly Property[]) : []
}

function objectIn({ result }: Answer): string | undefined {
  return result === undefined || Array.isArray(result) ? undefined : (result as { readonly objectId?: string }).objectId
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
