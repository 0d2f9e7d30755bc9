import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import type { RawData, WebSocket } from 'ws'
import type { ChaosError, Clock, JournalEntry } from '@chaos/core'
import type { AppEvent } from '../api/app-event.js'
import { eventMessageSchema, plainEntry } from '../api/schemas.js'
import type { Reach } from './address.js'
import { connectionFailure, errorOf, jsonOf, textOf, unreachable } from './request.js'

/** The event stream of a client. */
export interface EventSocket {
  /** The id of the stream at the server. An injection can be held by it. */
  readonly connection: string
  readonly droppedHits: number
  /** Resolves when the stream has ended, whichever side ended it. */
  readonly closed: Promise<void>
  readonly isClosed: boolean
  follow(listener: (entry: JournalEntry) => void): () => void
  onAppEvent(listener: (event: AppEvent) => void): () => void
  /** Resolves when the listeners have received everything that the server sent before this call. */
  caughtUp(): Promise<void>
  close(): Promise<void>
}

/** How long a server may be silent before it counts as gone or stuck, in ms. It pings every 4.5 s. */
const SILENCE_MS = 30_000
/** How long a server may take to close the connection, in ms. */
const CLOSE_MS = 1_000

/**
 * Opens the event stream of an endpoint.
 *
 * @throws ChaosError `CHAOS_ENDPOINT_UNREACHABLE` when no endpoint answers, or the error that the endpoint answered
 */
export async function openEventSocket(reach: Reach, clock: Clock, timeoutMs: number): Promise<EventSocket> {
  const socket = reach.openStream()
  const listeners = new Set<(entry: JournalEntry) => void>()
  const appEventListeners = new Set<(event: AppEvent) => void>()
  const waiting = new Map<string, () => void>()
  let droppedHits = 0
  let pings = 0

  // The `close` event follows and reports the failure.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      cancelSilence()
      for (const caughtUp of waiting.values()) caughtUp()
      resolve()
    })
  })
  const listen = (): (() => void) => clock.after(SILENCE_MS, () => socket.terminate(), { ref: false })
  let cancelSilence = listen()
  socket.on('ping', () => {
    cancelSilence()
    cancelSilence = listen()
  })
  socket.on('pong', (data) => {
    const ping = data.toString()
    waiting.get(ping)?.()
    waiting.delete(ping)
  })

  const connection = await helloOf(socket, reach, clock, timeoutMs)
  socket.on('message', (data) => {
    const message = v.safeParse(eventMessageSchema, jsonOf(textIn(data)))
    // Messages of a later server version are ignored.
    if (!message.success) return
    if (message.output.type === 'dropped') droppedHits += message.output.hits
    if (message.output.type === 'entry') tell(listeners, plainEntry(message.output.entry))
    if (message.output.type === 'app-event') tell(appEventListeners, message.output.event)
  })

  const isClosed = (): boolean => socket.readyState !== socket.OPEN
  return {
    connection,
    closed,
    get droppedHits() {
      return droppedHits
    },
    get isClosed() {
      return isClosed()
    },
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onAppEvent(listener) {
      appEventListeners.add(listener)
      return () => void appEventListeners.delete(listener)
    },
    caughtUp() {
      if (listeners.size + appEventListeners.size === 0 || isClosed()) return Promise.resolve()
      return new Promise((resolve) => {
        const ping = String((pings += 1))
        const cancel = clock.after(timeoutMs, resolve, { ref: false })
        waiting.set(ping, () => {
          cancel()
          resolve()
        })
        // The pong arrives after everything that the server sent before it.
        socket.ping(ping)
      })
    },
    async close() {
      const cancel = clock.after(CLOSE_MS, () => socket.terminate())
      socket.close(1_000)
      await closed
      cancel()
    },
  }
}

/** Calls all listeners, even if one throws. Its error is reported as an uncaught exception. */
function tell<News>(listeners: Iterable<(news: News) => void>, news: News): void {
  for (const listener of listeners) {
    try {
      listener(news)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** Waits for the first message. @returns The id of the connection. */
function helloOf(socket: WebSocket, reach: Reach, clock: Clock, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      cancel()
      socket.off('message', onMessage).off('error', onError).off('close', onClose).off('unexpected-response', onRefused)
      finish()
    }
    const fail = (error: ChaosError): void => {
      settle(() => reject(error))
      socket.terminate()
    }
    const onMessage = (data: RawData): void => {
      const message = v.safeParse(eventMessageSchema, jsonOf(textIn(data)))
      if (message.success && message.output.type === 'hello') {
        const { connection } = message.output
        settle(() => resolve(connection))
      } else fail(unreachable(reach, 'sent an unknown first message: its version may differ'))
    }
    const onError = (error: unknown): void => fail(connectionFailure(reach, error))
    const onClose = (): void => fail(unreachable(reach, 'closed the connection'))
    const onRefused = (_req: unknown, res: IncomingMessage): void => {
      textOf(res).then(
        (text) => fail(errorOf(reach, res.statusCode ?? 0, jsonOf(text))),
        (error: unknown) => fail(connectionFailure(reach, error)),
      )
    }
    const cancel = clock.after(timeoutMs, () => fail(unreachable(reach, `did not answer within ${timeoutMs} ms`)))
    socket.on('message', onMessage).on('error', onError).on('close', onClose).on('unexpected-response', onRefused)
  })
}

/** The text of a message. `ws` delivers a text message as one buffer. */
function textIn(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : ''
}
