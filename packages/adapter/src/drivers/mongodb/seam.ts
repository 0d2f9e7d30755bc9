import { ChaosError, injectedBy } from '@chaos/core'
import { markInjected, type InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { loadedModule } from '../../errors/loaded-module.js'
import { commandTarget, endpointOf, mismatch, type CommandSeam, type CommandTarget } from '../../calls/commands.js'
import { responseOf, withinReply, type Bson, type Document, type ResponseType } from './response.js'

/** A client of the `mongodb` driver. */
export interface MongoClient {
  readonly db: (...args: never) => unknown
  readonly startSession: (...args: never) => unknown
}

/** The class of such clients. */
type MongoClass = abstract new (...args: never) => MongoClient

/** A client, as far as it matters here. */
interface Client extends MongoClient {
  readonly db: (name: string) => {
    readonly command: (command: Document, options: { readonly session: Session }) => Promise<unknown>
  }
  readonly startSession: () => Session
}

interface Session {
  readonly client: Client
  readonly endSession: () => Promise<void>
}

/** A connection of the driver's pool. It does one command at a time. */
interface Connection {
  readonly socket: Socket
  readonly onError: (error: Error) => void
}

interface Namespace {
  readonly db: string
  toString(): string
}

interface CommandOptions {
  readonly session?: Session
  readonly signal?: AbortSignal
}

const COMMANDS =
  'abortTransaction aggregate buildInfo bulkWrite collMod collStats commitTransaction compact count create createIndexes currentOp dbStats delete distinct drop dropDatabase dropIndexes explain find findAndModify getParameter getMore insert killCursors listCollections listDatabases listIndexes mapReduce ping renameCollection replSetGetStatus serverStatus update validate'.split(
    ' ',
  )

/** What belongs to a session and not to what is asked. */
const OF_SESSION = new Set(['lsid', 'txnNumber', 'startTransaction', 'autocommit', '$clusterTime'])

/**
 * The commands of a client of `mongodb`, or with the class `MongoClient` of all clients: what faults of calls break. An operation is a command as it goes to a server;
 * its name is that of MongoDB: `find`, `getMore`, `insert`. Its arguments are the namespace (`app.users`) and the command document. Faults lie beneath the
 * driver's own retries, and so are heard as the real errors are: an error of a connection ends that connection and comes as a
 * `MongoNetworkError`. What the driver asks to watch its servers is left alone.
 *
 * The caller's own `signal` ends an injected wait at once. The driver's timeouts begin when a command is sent.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `client` is no such client or class, or the driver is of another copy than the one that is loaded, or bundled
 */
export function bindMongodb(client: MongoClient | MongoClass): CommandTarget {
  const holder = typeof client === 'function' ? (client.prototype as unknown) : client
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, 'startSession') !== 'function' ||
    typeof Reflect.get(holder, 'db') !== 'function'
  )
    throw mismatch('a client of mongodb, or its class', client)
  const [connections, clients, bson, errors] = ['cmap/connection', 'mongo_client', 'bson', 'error'].map(
    (file) => loadedModule(`mongodb/lib/${file}.js`) as Readonly<Record<string, unknown>> | undefined,
  )
  const Connection = connections?.['Connection'] as (new () => Connection) | undefined
  const ofThisCopy = clients?.['MongoClient'] as MongoClass | undefined
  if (
    Connection === undefined ||
    ofThisCopy === undefined ||
    (client !== ofThisCopy && !(client instanceof ofThisCopy))
  ) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'Expected a client of the copy of `mongodb` that the process has loaded from its node_modules folder, got one of another copy. Load the driver once, and leave it out of bundles.',
    )
  }
  const isOurs = typeof client === 'function' ? () => true : (one: object) => one === client
  const driver = { bson: bson as unknown as Bson, NetworkError: errors?.['MongoNetworkError'] as NetworkErrorClass }
  return commandTarget('MongoClient', {
    names: COMMANDS,
    lay: (context, seam) => layOver(Connection.prototype as object, driver, isOurs, context, seam),
  })
}

type NetworkErrorClass = new (message: string, options: { readonly cause: Error }) => Error

function layOver(
  holder: object,
  { bson, NetworkError }: { readonly bson: Bson; readonly NetworkError: NetworkErrorClass },
  isOurs: (client: object) => boolean,
  context: InjectionContext,
  seam: CommandSeam,
): void {
  const again = new WeakSet<Session>()
  const within = withinReply(bson)
  context.patch(
    holder,
    'command',
    (below) =>
      function command(
        this: Connection,
        ns: Namespace,
        asked: Document,
        options: CommandOptions = {},
        type?: ResponseType,
      ): unknown {
        const send = (): Promise<unknown> => below.call.call(this, ns, asked, options, type) as Promise<unknown>
        const { session } = options
        // The driver's own commands, by which it greets and watches, have no session.
        if (session === undefined || again.has(session) || !isOurs(session.client)) return send()
        const [name = ''] = Object.keys(asked)
        const args = [
          ns.toString(),
          Object.fromEntries(Object.entries(asked).filter(([key]) => !OF_SESSION.has(key))),
        ] as const
        if (!seam.chooses(name, args)) return send()

        let sent = 0
        // A connection does one thing at a time: copies take another one, in a session of their own.
        const sendAgain = async (): Promise<unknown> => {
          const own = session.client.startSession()
          again.add(own)
          return session.client
            .db(ns.db)
            .command(args[1], { session: own })
            .finally(() => own.endSession())
        }
        const proceed = (): Promise<unknown> => ((sent += 1) === 1 ? send() : sendAgain())
        return seam
          .answer({
            name,
            args,
            client: session.client,
            endpoint: endpointOf(this.socket, {}),
            signal: options.signal,
            within,
            proceed,
          })
          .then(
            (answer) => responseOf(answer, type, bson),
            (error: unknown) => {
              throw error instanceof Error && isOfConnection(error) ? broken(this, error, NetworkError) : error
            },
          )
      },
  )
}

function isOfConnection(error: Error): boolean {
  return injectedBy(error) !== undefined && 'syscall' in error
}

/** Ends the connection as the driver does when its socket fails. */
function broken(connection: Connection, cause: Error, NetworkError: NetworkErrorClass): Error {
  const error = new NetworkError(cause.message, { cause })
  connection.onError(error)
  return markInjected(error, injectedBy(cause) as string)
}
