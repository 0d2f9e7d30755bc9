import { BSON, type Document } from 'mongodb'
import { once } from 'node:events'
import net, { type Socket } from 'node:net'

/** A double of a MongoDB server at the wire: `mongod` itself is in no package registry that the tests could take it from. */
export interface MongoDouble {
  readonly port: number
  /** Commands that reached it, without those by which a driver watches its server: `insert app.users`. */
  readonly received: readonly string[]
  readonly documents: (collection: string) => readonly Document[]
  /** Answers the next command of a name with this instead. */
  readonly answerNext: (command: string, answer: Document) => void
  readonly close: () => Promise<void>
}

const [OP_REPLY, OP_QUERY, OP_MSG] = [1, 2004, 2013]
const HELLO = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
  ok: 1,
}
const WATCHING = new Set(['hello', 'ismaster', 'isMaster', 'endSessions'])

/** Starts one on a free port of 127.0.0.1. It knows hello, ping, insert, find by equality, getMore in batches of two, count and delete of all. */
export async function mongoDouble(): Promise<MongoDouble> {
  const collections = new Map<string, Document[]>()
  const answers = new Map<string, Document>()
  const cursors = new Map<number, Document[]>()
  const received: string[] = []
  const sockets = new Set<Socket>()
  const documents = (name: string): Document[] =>
    collections.get(name) ?? (collections.set(name, []).get(name) as Document[])

  const batch = (name: 'firstBatch' | 'nextBatch', found: Document[], size: number): Document => {
    const id = found.length > size ? cursors.size + 1 : 0
    if (id > 0) cursors.set(id, found.slice(size))
    return { cursor: { id: BSON.Long.fromNumber(id), ns: 'app.test', [name]: found.slice(0, size) }, ok: 1 }
  }
  const does: Readonly<Record<string, (command: Document) => Document>> = {
    insert: ({ insert, documents: added }) => ({
      n: documents(String(insert)).push(...(added as Document[])) && (added as Document[]).length,
      ok: 1,
    }),
    find: ({ find, filter = {}, batchSize = 101 }) =>
      batch(
        'firstBatch',
        documents(String(find)).filter((one) =>
          Object.entries(filter as Document).every(([key, value]) => one[key] === value),
        ),
        Number(batchSize),
      ),
    getMore: ({ getMore, batchSize = 101 }) =>
      batch('nextBatch', cursors.get(Number(getMore)) ?? [], Number(batchSize)),
    delete: ({ delete: from }) => ({ n: documents(String(from)).splice(0).length, ok: 1 }),
    ping: () => ({ ok: 1 }),
  }
  const answer = (command: Document): Document => {
    const [name = ''] = Object.keys(command)
    if (name.toLowerCase() === 'ismaster' || name === 'hello') return HELLO
    if (!WATCHING.has(name))
      received.push(
        `${name} ${String(command['$db'])}.${String(name === 'getMore' ? command['collection'] : command[name])}`,
      )
    const prepared = answers.get(name)
    if (prepared !== undefined) answers.delete(name)
    return prepared ?? does[name]?.(command) ?? { ok: 1 }
  }

  const server = net
    .createServer((socket) => {
      sockets.add(socket.on('error', () => undefined))
      let buffered = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        buffered = Buffer.concat([buffered, chunk])
        while (buffered.length >= 16 && buffered.length >= buffered.readInt32LE(0)) {
          const message = buffered.subarray(0, buffered.readInt32LE(0))
          buffered = buffered.subarray(message.length)
          socket.write(reply(message, answer(commandIn(message))))
        }
      })
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as net.AddressInfo).port,
    received,
    documents,
    answerNext: (command, prepared) => void answers.set(command, prepared),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The command of an OP_MSG, its document sequences included, or of an OP_QUERY, by which a driver greets. */
function commandIn(message: Buffer): Document {
  if (message.readInt32LE(12) === OP_QUERY) return BSON.deserialize(message.subarray(message.indexOf(0, 20) + 9))
  let at = 20
  let command: Document = {}
  while (at < message.length) {
    const [kind, size] = [message[at], message.readInt32LE(at + 1)]
    const section = message.subarray(at + 1, at + 1 + size)
    if (kind === 0) command = { ...BSON.deserialize(section), ...command }
    else {
      const end = section.indexOf(0, 4)
      const list: Document[] = []
      for (let from = end + 1; from < section.length; from += section.readInt32LE(from))
        list.push(BSON.deserialize(section.subarray(from, from + section.readInt32LE(from))))
      command[section.toString('utf8', 4, end)] = list
    }
    at += 1 + size
  }
  return command
}

function reply(to: Buffer, answer: Document): Buffer {
  const isQuery = to.readInt32LE(12) === OP_QUERY
  const body = Buffer.from(BSON.serialize(answer))
  const prelude = Buffer.alloc(isQuery ? 20 : 5)
  if (isQuery) prelude.writeInt32LE(1, 16)
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + prelude.length + body.length, 0)
  header.writeInt32LE(to.readInt32LE(4), 8)
  header.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12)
  return Buffer.concat([header, prelude, body])
}
