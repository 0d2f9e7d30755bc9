import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Entry } from './oracle.js'

/** What a fake journal does wrong. Nothing, by default. */
export interface Sabotage {
  /** Called before each request is answered. A status answers it at once; `'hang'` never does. */
  readonly refuse?: (request: IncomingMessage) => number | 'hang' | undefined
  /** What is stored of an entry, and under which ids; by default itself. */
  readonly store?: (entry: Entry) => readonly Entry[]
  /** What is given when an entry is read. */
  readonly read?: (entry: Entry) => unknown
  /** What a list gives. */
  readonly list?: (entries: readonly Entry[]) => unknown
  /** What is answered to a write. */
  readonly acknowledge?: (entry: Entry) => unknown
  /** Which pushes go out at each write. */
  readonly push?: (message: string, entry: Entry) => readonly string[]
  /** Whether WebSocket connections are accepted. */
  readonly isDeaf?: boolean
}

/** A journal of few lines that can do everything wrong, for tests of the load. */
export interface FakeJournal {
  readonly url: string
  sabotage: Sabotage
  /** Ends every WebSocket connection. */
  hangUp(): void
  close(): Promise<void>
}

export async function fakeJournal(): Promise<FakeJournal> {
  const stored: Entry[] = []
  const sockets = new WebSocketServer({ noServer: true })
  const journal = { sabotage: {} as Sabotage }
  const json = (response: ServerResponse, status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      refuse,
      store = (entry) => [entry],
      read = (entry) => entry,
      list = (entries) => entries,
      acknowledge = (entry) => entry,
      push = (message) => [message],
    } = journal.sabotage
    const refused = refuse?.(request)
    if (refused === 'hang') return
    if (refused !== undefined) {
      json(response, refused, { error: 'Refused.' })
      return
    }
    const id = request.url?.slice('/api/journal/'.length) ?? ''
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const now = new Date().toISOString()
      const entry = {
        id: randomUUID(),
        ...(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Omit<Entry, 'id'>),
        createdAt: now,
        updatedAt: now,
      } as unknown as Entry
      stored.push(...store(entry))
      json(response, 201, acknowledge(entry))
      const message = JSON.stringify({ event: 'journal:changed', payload: { method: 'POST', id: entry.id } })
      for (const text of push(message, entry)) for (const client of sockets.clients) client.send(text)
    } else if (id === '') json(response, 200, list(stored))
    else {
      const found = stored.find((entry) => entry.id === id)
      if (found === undefined) json(response, 404, { error: 'No entry has this id.' })
      else json(response, 200, read(found))
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  server.on('upgrade', (request, socket, head) => {
    if (journal.sabotage.isDeaf === true) socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n')
    else sockets.handleUpgrade(request, socket, head, () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(journal, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangUp() {
      for (const client of sockets.clients) client.close(1001)
    },
    async close() {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
