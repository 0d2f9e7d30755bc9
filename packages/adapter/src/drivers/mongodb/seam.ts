import { ChaosError, injectedBy } from '@chaos/core'
import { isError, markInjected, type InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { loadedModule } from '../../errors/loaded-module.js'
import { commandTarget, endpointOf, mismatch, type CommandSeam, type CommandTarget } from '../../calls/commands.js'
import { responseOf, withinReply, type Bson, type Document, type ResponseType } from './response.js'

/** A client of the `mongodb` driver. */
export interface MongoClient {
  readonly db: (...args: never) => unknown
  readonly startSession: (...args: never) => unknown
}

/** The class of clients: `MongoClient`. */
type MongoClass = abstract new (...args: never) => MongoClient

/** The parts of a client that the binding uses. */
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

/** A connection of the driver's pool. It runs one command at a time. */
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

/** The fields of a command that belong to its session. */
const OF_SESSION = new Set(['lsid', 'txnNumber', 'startTransaction', 'autocommit', '$clusterTime'])

/**
 * Binds a client of `mongodb`, or the class `MongoClient` of all clients, as a target of call faults. An operation is a
 * command as it goes to a server; its name is the MongoDB command: `find`, `getMore`, `insert`. Its arguments are the
 * namespace (`app.users`) and the command document.
 *
 * Faults act beneath the driver's own retries, so the application gets errors as in the real outage: a connection error
 * ends its connection and arrives as a `MongoNetworkError`. The driver's monitoring commands are not affected. The
 * caller's `signal` ends an injected wait at once. The driver's timeouts start when a command is sent.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `client` is not a `mongodb` client or its class, or belongs to a
 *   bundled or second copy of the driver.
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
      'The client belongs to a bundled or second copy of `mongodb`. Load the driver once from node_modules, and do not bundle it.',
    )
  }
  const isOurs = typeof client === 'function' ? () => true : (one: object) => one === client
  const driver = { bson: bson as unknown as Bson, NetworkError: errors?.['MongoNetworkError'] as NetworkErrorClass }
  return commandTarget('MongoClient', {
    names: COMMANDS,
    patch: (context, seam) => patchCommands(Connection.prototype as object, driver, isOurs, context, seam),
  })
}

/**
 * The sessions of copies. A copy passes all layers again, but only the faults beneath the one that sends it see it.
 */
const copies = new WeakMap<Session, { readonly by: object; isBeneath: boolean }>()

type NetworkErrorClass = new (message: string, options: { readonly cause: Error }) => Error

function patchCommands(
  holder: object,
  { bson, NetworkError }: { readonly bson: Bson; readonly NetworkError: NetworkErrorClass },
  isOurs: (client: object) => boolean,
  context: InjectionContext,
  seam: CommandSeam,
): void {
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
        // The driver's handshake and monitoring commands have no session.
        if (session === undefined || !isOurs(session.client)) return send()
        const copy = copies.get(session)
        if (copy?.isBeneath === false) {
          copy.isBeneath = copy.by === context
          return send()
        }
        const [name = ''] = Object.keys(asked)
        const args = [
          ns.toString(),
          Object.fromEntries(Object.entries(asked).filter(([key]) => !OF_SESSION.has(key))),
        ] as const
        if (!seam.chooses(name, args)) return send()

        let sent = 0
        // A connection runs one command at a time, so a copy uses another connection, in its own session.
        const sendAgain = async (): Promise<unknown> => {
          const own = session.client.startSession()
          copies.set(own, { by: context, isBeneath: false })
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
              throw isError(error) && isOfConnection(error) ? broken(this, error, NetworkError) : error
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
